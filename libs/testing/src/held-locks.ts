import { Client } from 'pg';
import { eventually } from './eventually';
import type { TestDatabase } from './test-database';

/** Runs a statement in a transaction that stays open with its locks; what comes back commits it. */
export async function holdLocks(
  { url }: TestDatabase,
  sql: string,
  values: unknown[] = [],
): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // a test that fails leaves it to the drop of the database
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, values);
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}

/** Resolves once this many statements, or more, wait for locks. */
export async function whenBlocked(database: TestDatabase, count = 1): Promise<void> {
  await eventually(`${count} waiting for locks`, async () => {
    const rows = await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return rows.length >= count;
  });
}
