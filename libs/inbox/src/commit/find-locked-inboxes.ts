import type { InboxDatabase, Statement } from '../database/database';

/** Which counters of some inboxes cannot be locked at once. */
export interface LockedInboxes {
  /** Another transaction has them locked. */
  readonly locked: ReadonlySet<string>;
  /** They have no counter yet that could be seen; another transaction may be making it. */
  readonly unborn: ReadonlySet<string>;
}

/**
 * Tells which counters are locked now, without waiting for any.
 * @throws OutageError
 */
export async function findLockedInboxes(db: InboxDatabase, users: readonly string[]): Promise<LockedInboxes> {
  const rows = await db.run<{ user_id: string; is_there: boolean }>(FIND_LOCKED, [users]);
  const locked = new Set<string>();
  const unborn = new Set<string>();
  for (const row of rows) (row.is_there ? locked : unborn).add(row.user_id);
  return { locked, unborn };
}

/** The lock is the one that moving a counter takes, and is gone with the statement. */
const FIND_LOCKED: Statement = {
  name: 'find-locked-inboxes',
  text: `
    WITH free AS MATERIALIZED (
      SELECT user_id FROM inbox WHERE user_id = ANY ($1::text[]) FOR NO KEY UPDATE SKIP LOCKED
    )
    SELECT asked.user_id, i.user_id IS NOT NULL AS is_there
    FROM unnest($1::text[]) AS asked (user_id)
    LEFT JOIN inbox i ON i.user_id = asked.user_id
    WHERE NOT EXISTS (SELECT FROM free WHERE free.user_id = asked.user_id)`,
};
