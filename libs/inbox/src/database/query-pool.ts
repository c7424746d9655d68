import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { isLockTimeout } from './outage';

/**
 * Runs a statement on a connection of the pool. A connection that saw an error leaves the pool, unless the statement
 * only gave up waiting for a lock.
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

/** Without a listener the process would end. A query on a broken connection fails by itself. */
function ignore(): void {}

/**
 * Waits until Postgres has rolled back. It sends the error before that, and the next search for locked rows must not
 * find the locks of this statement. Postgres answers the next query of the connection only after the rollback.
 */
async function isRolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('');
    return true;
  } catch {
    return false; // the connection is broken, and its locks end with it
  }
}
