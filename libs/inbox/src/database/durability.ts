/** The facts that decide whether commits of Postgres survive a crash. */
export interface DurabilityFacts {
  synchronous_commit: string;
  fsync: string;
  full_page_writes: string;
  /** Our tables and partitions that a crash empties. */
  unlogged: string[];
}

/**
 * Reads the `DurabilityFacts`. Its parameter is the names of our tables; their partitions are checked too. The settings
 * are those of the connection that asks, so they include what is set for our role and database.
 */
export const readDurability = {
  name: 'read-durability',
  text: `
    SELECT current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           ARRAY(
             WITH ours AS (SELECT to_regclass(name)::oid AS oid FROM unnest($1::text[]) AS name)
             SELECT relname::text FROM pg_class
             WHERE oid IN (SELECT oid FROM ours UNION SELECT inhrelid FROM pg_inherits JOIN ours ON oid = inhparent)
               AND relpersistence <> 'p'
             ORDER BY relname
           ) AS unlogged`,
};

/**
 * Says why a crash could lose a message after its 201, and what to do; null when commits are safe. We do not change the
 * setting ourselves: an operator who turned it off for this role or database must learn that the services need it.
 */
export function faultOfDurability({ synchronous_commit, unlogged }: DurabilityFacts): string | null {
  if (unlogged.length > 0) {
    return `a crash of Postgres empties UNLOGGED tables (${unlogged.join(', ')}): ALTER TABLE … SET LOGGED`;
  }
  if (synchronous_commit === 'off') {
    return 'a crash of Postgres loses commits while synchronous_commit is off: turn it on for this role and database';
  }
  return null;
}

/**
 * The unsafe settings of the whole server. They lose commits only if its machine crashes, and a server for tests may
 * turn them off on purpose. So they are a warning and not a fault.
 */
export function risksOfDurability(facts: DurabilityFacts): string[] {
  return (['fsync', 'full_page_writes'] as const).filter((name) => facts[name] === 'off');
}
