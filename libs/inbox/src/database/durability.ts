/** What decides whether Postgres keeps, through a crash, what it committed. */
export interface DurabilityFacts {
  synchronous_commit: string;
  fsync: string;
  full_page_writes: string;
  /** Our tables that a crash empties. */
  unlogged: string[];
}

/** Asks for them; takes the names of our tables, and looks at their partitions too. It sees the settings as our own connections have them. */
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
 * Why a 201 would be no promise, and what to do about it; null when it is one. A setting is not changed behind the
 * operator's back: whoever turned it off for this role or database has to know that these services cannot live with it.
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

/** Settings of the whole server that only a crash of its machine puts to the test, as it may be meant for tests. */
export function risksOfDurability(facts: DurabilityFacts): string[] {
  return (['fsync', 'full_page_writes'] as const).filter((name) => facts[name] === 'off');
}
