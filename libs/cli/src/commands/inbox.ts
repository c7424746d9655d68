import { DEFAULT_INBOX_PAGE, MAX_INBOX_PAGE } from '@posthorn/protocol';
import type { Command } from 'commander';
import { httpFor } from '../context.ts';
import { EXIT } from '../exit.ts';
import { deliveryLine, skippedLine } from '../message-line.ts';
import { integer } from '../options.ts';
import type { WithContext } from '../with-context.ts';

/** `posthorn inbox`. */
export function addInbox(program: Command, withContext: WithContext): void {
  program
    .command('inbox')
    .description("print a user's inbox, in order, without touching any cursor")
    .option('--as <user>', 'the user whose inbox it is (signs a token with AUTH_JWT_SECRET)')
    .option('--after <seq>', 'only entries after this position', '0')
    .option('--limit <count>', 'the largest number of entries', String(DEFAULT_INBOX_PAGE))
    .action(
      withContext<[], { as?: string; after: string; limit: string }>(async (context, _args, options) => {
        let after = integer('--after', options.after, 0, Number.MAX_SAFE_INTEGER);
        let left = integer('--limit', options.limit, 1, Number.MAX_SAFE_INTEGER);
        const client = httpFor(context, options.as);
        while (left > 0) {
          const { items, skipped = [] } = await client.inbox({
            after,
            limit: Math.min(left, MAX_INBOX_PAGE),
          });
          for (const range of skipped) context.out.note(skippedLine(range));
          // All entries of a page may be deleted, with more pages after it.
          const end = Math.max(items.at(-1)?.seq ?? 0, skipped.at(-1)?.to ?? 0);
          if (end <= after) break;
          for (const item of items) await context.out.result(item, () => deliveryLine(item));
          after = end;
          left -= items.length;
        }
        return EXIT.ok;
      }),
    );
}
