import type { Command } from 'commander';
import { httpFor } from '../context.ts';
import { EXIT } from '../exit.ts';
import { columns } from '../output.ts';
import type { WithContext } from '../with-context.ts';

/** `posthorn receipts ID`. */
export function addReceipts(program: Command, withContext: WithContext): void {
  program
    .command('receipts')
    .description('print who has a message, and who has read it')
    .argument('<id>', 'a message that the user sent')
    .option('--as <user>', 'the sender (signs a token with AUTH_JWT_SECRET)')
    .action(
      withContext<[string], { as?: string }>(async (context, [id], options) => {
        const items = await httpFor(context, options.as).receipts(id);
        await context.out.result({ items }, () =>
          columns([
            ['user', 'delivered', 'read'],
            ...items.map(({ user, deliveredAt, readAt }) => [
              user,
              deliveredAt ?? 'not yet',
              readAt ?? 'not yet',
            ]),
          ]),
        );
        return EXIT.ok;
      }),
    );
}
