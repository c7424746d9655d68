import { Client } from 'pg';
import { eventually } from './eventually';
import type { TestDatabase } from './test-database';

/** Runs a statement in a transaction that stays open and keeps its locks. The returned function commits it. */
export async function holdLocks(
  { url }: TestDatabase,
  sql: string,
  values: unknown[] = [],
): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // after a failed test, dropping the database ends it
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, values);
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}

/** Resolves once at least this many statements wait for locks. */
export async function whenBlocked(database: TestDatabase, count = 1): Promise<void> {
  await eventually(`${count} waiting for locks`, async () => {
    const rows = await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return rows.length >= count;
  });
}
