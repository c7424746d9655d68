import { parseArgs } from 'node:util';
import { isUserId, USER_ID_RULE } from '@posthorn/protocol';
import { devSecretFile, readDevSecret } from './dev-secret';
import { mintToken } from './mint-token';

/** What a command answers: the exit code (sysexits.h) and its words. */
export interface Outcome {
  code: number;
  out: string;
  err: string;
}

const EX_USAGE = 64;
const EX_CONFIG = 78;
const MIN_SECRET_BYTES = 32;
const USAGE = `usage: pnpm token USER [--ttl 1h] [--scope "send:as"]
  USER     ${USER_ID_RULE}
  --ttl    how long it is good for: 90s, 30m, 1h (the default), 7d
  --scope  space-separated: send:as lets it send for any user
`;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `pnpm token USER …`: the token goes to stdout alone, everything else to stderr. `folder` is where `npm start` leaves its secret. */
export async function tokenCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<Outcome> {
  const wish = readWish(args);
  if (typeof wish === 'string') return { code: EX_USAGE, out: '', err: `${wish}\n${USAGE}` };
  const given = env['AUTH_JWT_SECRET'];
  const secret = given === undefined || given === '' ? readDevSecret(folder) : given;
  if (secret === undefined) {
    return {
      code: EX_CONFIG,
      out: '',
      err: `AUTH_JWT_SECRET is not set, and there is no ${devSecretFile(folder)} of npm start.\nSet it to the secret of the services (${MIN_SECRET_BYTES} bytes or more).\n`,
    };
  }
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    return { code: EX_CONFIG, out: '', err: `AUTH_JWT_SECRET is shorter than ${MIN_SECRET_BYTES} bytes.\n` };
  }
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = env;
  const token = await mintToken({
    ...wish,
    secret,
    ...(issuer ? { issuer } : {}),
    ...(audience ? { audience } : {}),
  });
  const err = secret === given ? '' : `AUTH_JWT_SECRET is not set: signed with ${devSecretFile(folder)}\n`;
  return { code: 0, out: `${token}\n`, err };
}

/** What the arguments ask for, or what is wrong with them. */
function readWish(args: readonly string[]): { user: string; ttlS: number; scope?: string } | string {
  let parsed: { values: { ttl?: string; scope?: string }; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ttl: { type: 'string' }, scope: { type: 'string' } },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  const [user, ...more] = positionals;
  if (user === undefined) return 'USER is missing';
  if (more.length > 0) return `one USER, not also ${more.join(' ')} (quote a --scope with spaces)`;
  if (!isUserId(user)) return `not a user id: ${String(user)}`;
  const ttlS = secondsOf(values.ttl ?? '1h');
  if (ttlS === undefined) return `not a duration: ${values.ttl}`;
  return { user, ttlS, ...(values.scope === undefined ? {} : { scope: values.scope }) };
}

function secondsOf(duration: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(duration) ?? [];
  const seconds = Number(amount) * (SECONDS[unit ?? ''] ?? Number.NaN);
  return seconds > 0 ? seconds : undefined;
}
