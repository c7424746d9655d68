import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { isLockTimeout } from './outage';

/**
 * Runs a statement on a connection of the pool. One that saw an error leaves the pool, but where the statement only
 * gave up waiting for a lock.
 */
export async function queryPool<Row extends QueryResultRow>(pool: Pool, query: QueryConfig): Promise<Row[]> {
  const client = await pool.connect();
  client.on('error', ignore);
  let isWell = false;
  try {
    const { rows } = await client.query<Row>(query);
    isWell = true;
    return rows;
  } catch (error) {
    if (isLockTimeout(error)) isWell = await isRolledBack(client);
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(!isWell);
  }
}

/** A connection that breaks fails its query, which tells. */
function ignore(): void {}

/**
 * Postgres sends an error before it rolls back. Whoever looks for locks next must not find those of this statement,
 * and on its own connection anything else is answered only after the rollback.
 */
async function isRolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('');
    return true;
  } catch {
    return false; // the connection is broken: its locks end with it
  }
}
