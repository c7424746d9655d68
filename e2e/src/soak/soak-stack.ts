import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, type Stack, startStack } from '@posthorn/stack';
import { Client } from 'pg';

/** A stack for a soak: two processes of each service, in a folder that is removed at the end. */
export interface SoakStack extends Stack {
  token(user: string): Promise<string>;
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** Starts the stack without send limits, because the soak sends for everybody. */
export async function startSoakStack(): Promise<SoakStack> {
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-soak-'));
  // Postgres may run as another user, who needs access to the folder.
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
