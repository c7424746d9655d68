import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, type Stack, startStack } from '@posthorn/stack';
import { Client } from 'pg';

/** A stack for a soak: two of each service, in a folder that goes with it. */
export interface SoakStack extends Stack {
  token(user: string): Promise<string>;
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** Starts it, with limits on sends off: the soak is one that sends for everybody. */
export async function startSoakStack(): Promise<SoakStack> {
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-soak-'));
  // Postgres may have to run as another user, who must get to its folder.
  chmodSync(dir, 0o755);
  const secret = randomBytes(32).toString('hex');
  const stack = await startStack({
    dir,
    env: { AUTH_JWT_SECRET: secret, RATE_LIMIT_SENDS: '0', DRAIN_MS: '1000' },
  });
  return {
    ...stack,
    token: (user) => mintToken({ user, secret, ttlS: 12 * 3_600 }),
    query: async (sql, values = []) => {
      const client = new Client({ connectionString: stack.databaseUrl });
      await client.connect();
      try {
        return (await client.query(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
    stop: async () => {
      await stack.stop();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
