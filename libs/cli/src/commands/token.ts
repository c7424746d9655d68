import { USER_ID_RULE } from '@posthorn/protocol';
import type { Command } from 'commander';
import { signToken } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import type { WithContext } from '../with-context.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `posthorn token USER`. */
export function addToken(program: Command, withContext: WithContext): void {
  program
    .command('token')
    .description('print a token for a user, signed with AUTH_JWT_SECRET')
    .argument('<user>', `the user: ${USER_ID_RULE}`)
    .option('--ttl <duration>', 'how long it is valid: 90s, 30m, 1h, 7d', '1h')
    .option('--scope <scopes>', 'scopes separated by spaces; "send:as" allows sending for any user')
    .action(
      withContext<[string], { ttl: string; scope?: string }>(async ({ env, out }, [user], { ttl, scope }) => {
        const ttlS = secondsOf(ttl);
        if (env.sourceOf('AUTH_JWT_SECRET') !== 'environment' && env.get('AUTH_JWT_SECRET') !== undefined)
          out.note(
            `AUTH_JWT_SECRET is not in the environment: signed with the one of ${env.sourceOf('AUTH_JWT_SECRET')}`,
          );
        const token = await signToken(env, { user, ttlS, scope });
        await out.result({ token }, () => token);
        return EXIT.ok;
      }),
    );
}

/** @throws CliError if the text is not a duration */
function secondsOf(duration: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(duration) ?? [];
  const seconds = Number(amount) * (SECONDS[unit ?? ''] ?? Number.NaN);
  if (seconds > 0) return seconds;
  throw new CliError(EXIT.usage, `not a duration: ${duration}. Use for example 90s, 30m, 1h or 7d`);
}
