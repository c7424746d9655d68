import type { InboxItem } from '@posthorn/protocol';
import type { InboxDatabase, Statement } from './database';
import { type MessageRow, messageFromRow, timeSql } from './message-row';

/** Which part of which inbox: the first `limit` entries beyond `after`. */
export interface EntriesQuery {
  user: string;
  after: number;
  limit: number;
}

/** Parts of inboxes, and which life of the inboxes their `seq` belong to. */
export interface EntriesOfEpoch {
  epoch: string;
  /** In the order asked. */
  pages: InboxItem[][];
}

/** The first row stands for the epoch and for no entry. */
type EntryRow = { epoch: string; nth: null } | (MessageRow & { epoch: null; nth: number; seq: number });

/**
 * Reads parts of several inboxes at once, each in order of `seq`, as their owners see them, with the epoch that all of
 * it is of.
 * @throws OutageError
 */
export async function readEntriesOfEpoch(
  db: InboxDatabase,
  queries: readonly EntriesQuery[],
): Promise<EntriesOfEpoch> {
  const rows = await db.run<EntryRow>(READ_ENTRIES, [
    queries.map((query) => query.user),
    queries.map((query) => query.after),
    queries.map((query) => query.limit),
  ]);
  let epoch: string | null = null;
  const pages: InboxItem[][] = queries.map(() => []);
  for (const row of rows) {
    if (row.nth === null) epoch = row.epoch;
    else pages[row.nth - 1]?.push({ seq: row.seq, message: messageFromRow(row) });
  }
  if (epoch === null) throw new Error('entries came without their epoch');
  return { epoch, pages };
}

/**
 * The same, where no earlier reading has to be of the same epoch.
 * @throws OutageError
 */
export async function readEntries(
  db: InboxDatabase,
  queries: readonly EntriesQuery[],
): Promise<InboxItem[][]> {
  return (await readEntriesOfEpoch(db, queries)).pages;
}

/** One snapshot for the entries and their epoch. `recipients` comes along for the sender's own copies only. */
const READ_ENTRIES: Statement = {
  name: 'read-entries',
  text: `
    SELECT epoch, NULL::int AS nth, NULL::bigint AS seq, NULL::uuid AS id, NULL AS sender, NULL::text[] AS recipients,
      NULL AS text, NULL::json AS data, NULL AS created_at
    FROM epoch
    UNION ALL
    (SELECT NULL, asked.nth::int, e.seq, m.id, m.sender,
      CASE WHEN m.sender = asked.user_id THEN m.recipients END AS recipients,
      m.text, m.data, ${timeSql('m.created_at')} AS created_at
    FROM unnest($1::text[], $2::bigint[], $3::int[]) WITH ORDINALITY AS asked (user_id, after, max, nth)
    CROSS JOIN LATERAL (
      SELECT seq, message_id FROM inbox_entry
      WHERE user_id = asked.user_id AND seq > asked.after
      ORDER BY seq LIMIT asked.max
    ) AS e
    CROSS JOIN LATERAL (SELECT * FROM message WHERE id = e.message_id OFFSET 0) AS m
    ORDER BY asked.nth, e.seq)`,
};
