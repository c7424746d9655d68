import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

const SECRET = 'AUTH_JWT_SECRET';

/** The file in a stack's folder that describes it for other commands: the secret of its tokens, and all addresses. */
function devEnvFile(folder: string): string {
  return join(folder, 'dev.env');
}

/** The folder's secret, created at the first call. */
export function keepDevSecret(folder: string): string {
  const kept = readDevEnv(folder)[SECRET];
  if (kept !== undefined) return kept;
  const secret = randomBytes(32).toString('base64url');
  writeDevEnv(folder, { [SECRET]: secret });
  return secret;
}

/** Writes the addresses of a started stack into the file, beside its secret. */
export function tellDevEnv(folder: string, env: Readonly<Record<string, string>>): void {
  const { [SECRET]: secret } = readDevEnv(folder);
  writeDevEnv(folder, { ...(secret === undefined ? {} : { [SECRET]: secret }), ...env });
}

function readDevEnv(folder: string): Record<string, string | undefined> {
  const file = devEnvFile(folder);
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}

function writeDevEnv(folder: string, env: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(
    devEnvFile(folder),
    `# The local stack, as last started. Not for production.\n${lines.join('')}`,
    {
      mode: 0o600,
    },
  );
}
