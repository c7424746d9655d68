import type { InboxDatabase, Statement } from '../database/database';

/** Users whose inbox counter cannot be locked without waiting. */
export interface LockedInboxes {
  /** Another transaction has locked their counter. */
  readonly locked: ReadonlySet<string>;
  /** They have no visible counter. Another transaction may be inserting it. */
  readonly unborn: ReadonlySet<string>;
}

/**
 * Finds which counters are locked now, without waiting for any of them.
 * @throws OutageError
 */
export async function findLockedInboxes(db: InboxDatabase, users: readonly string[]): Promise<LockedInboxes> {
  const rows = await db.run<{ user_id: string; is_there: boolean }>(FIND_LOCKED, [users]);
  const locked = new Set<string>();
  const unborn = new Set<string>();
  for (const row of rows) (row.is_there ? locked : unborn).add(row.user_id);
  return { locked, unborn };
}

/** Tries the same lock that moving a counter takes. The lock ends with the statement. */
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
