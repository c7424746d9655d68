import type { Command } from 'commander';
import { httpFor } from '../context.ts';
import { EXIT } from '../exit.ts';
import { columns } from '../output.ts';
import type { WithContext } from '../with-context.ts';

/** `posthorn presence USER …`. */
export function addPresence(program: Command, withContext: WithContext): void {
  program
    .command('presence')
    .description('print which users are online, and when the others were last seen')
    .argument('<users...>', 'at most 100 users')
    .option('--as <user>', 'the user who asks; any user may (signs a token with AUTH_JWT_SECRET)')
    .action(
      withContext<[string[]], { as?: string }>(async (context, [users], options) => {
        const items = await httpFor(context, options.as).presence(users);
        await context.out.result({ items }, () =>
          columns([
            ['user', 'online', 'last seen'],
            ...items.map(({ user, online, lastSeenAt }) => [
              user,
              online ? 'yes' : 'no',
              online ? 'now' : (lastSeenAt ?? 'never'),
            ]),
          ]),
        );
        return EXIT.ok;
      }),
    );
}
