import type { InboxItem } from '@posthorn/protocol';
import type { InboxDatabase, Statement } from './database';
import { type MessageRow, messageFromRow, timeSql } from './message-row';

/** Which part of which inbox: the first `limit` entries beyond `after`. */
export interface EntriesQuery {
  user: string;
  after: number;
  limit: number;
}

interface EntryRow extends MessageRow {
  nth: number;
  seq: number;
}

/**
 * Reads parts of several inboxes at once, each in order of `seq`, as their owners see them.
 * @throws OutageError
 */
export async function readEntries(
  db: InboxDatabase,
  queries: readonly EntriesQuery[],
): Promise<InboxItem[][]> {
  const rows = await db.run<EntryRow>(READ_ENTRIES, [
    queries.map((query) => query.user),
    queries.map((query) => query.after),
    queries.map((query) => query.limit),
  ]);
  const pages: InboxItem[][] = queries.map(() => []);
  for (const row of rows) pages[row.nth - 1]?.push({ seq: row.seq, message: messageFromRow(row) });
  return pages;
}

/** `recipients` comes along for the sender's own copies only. */
const READ_ENTRIES: Statement = {
  name: 'read-entries',
  text: `
    SELECT asked.nth::int AS nth, e.seq, m.id, m.sender,
      CASE WHEN m.sender = asked.user_id THEN m.recipients END AS recipients,
      m.text, m.data, ${timeSql('m.created_at')} AS created_at
    FROM unnest($1::text[], $2::bigint[], $3::int[]) WITH ORDINALITY AS asked (user_id, after, max, nth)
    CROSS JOIN LATERAL (
      SELECT seq, message_id FROM inbox_entry
      WHERE user_id = asked.user_id AND seq > asked.after
      ORDER BY seq LIMIT asked.max
    ) AS e
    JOIN message m ON m.id = e.message_id
    ORDER BY asked.nth, e.seq`,
};
