import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'AUTH_JWT_SECRET';

/** The file in a stack's folder that holds the secret of its tokens. */
export function devSecretFile(folder: string): string {
  return join(folder, 'dev.env');
}

/** The secret that an earlier start left in the folder, if any. */
export function readDevSecret(folder: string): string | undefined {
  const file = devSecretFile(folder);
  if (!existsSync(file)) return undefined;
  return new RegExp(`^${NAME}=(\\S+)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
}

/** The folder's secret, made at the first call. */
export function keepDevSecret(folder: string): string {
  const kept = readDevSecret(folder);
  if (kept !== undefined) return kept;
  const secret = randomBytes(32).toString('base64url');
  mkdirSync(folder, { recursive: true });
  const text = `# Signs the tokens of the local stack. Not for production.\n${NAME}=${secret}\n`;
  writeFileSync(devSecretFile(folder), text, { mode: 0o600 });
  return secret;
}
