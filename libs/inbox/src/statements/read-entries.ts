import type { InboxItem, SkippedRange } from '@posthorn/protocol';
import type { InboxDatabase, Statement } from '../database/database';
import { type MessageRow, messageFromRow, timeSql } from '../database/message-row';

/** A part of an inbox: the first `limit` entries with a `seq` above `after`. */
export interface EntriesQuery {
  user: string;
  after: number;
  limit: number;
}

/** A part of an inbox, as it was at one moment. */
export interface EntriesPage {
  /** In order of `seq`. */
  items: InboxItem[];
  /**
   * Ranges above `after` that are not kept any more, in order. A full page reports them up to its last entry, any other
   * page up to the end of the inbox.
   */
  skipped: SkippedRange[];
  /** The newest `seq` of the whole inbox; 0 if it never had an entry. */
  newest: number;
}

/** Parts of inboxes, and the epoch to which they belong. */
export interface EntriesOfEpoch {
  epoch: string;
  /** In the order asked. */
  pages: EntriesPage[];
}

/**
 * For each part, one row has the epoch and the newest `seq` of the inbox. If nothing is asked, one row has the epoch
 * alone. An entry whose message was dropped already has a null `id`.
 */
type EntryRow =
  | { epoch: string; nth: number | null; seq: number | null }
  | { epoch: null; nth: number; seq: number; id: null }
  | (MessageRow & { epoch: null; nth: number; seq: number });

/**
 * Reads parts of several inboxes at the same moment, as their owners see them, with the epoch to which they belong.
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
  const parts = queries.map(({ after, limit }) => ({
    after,
    limit,
    items: [] as InboxItem[],
    seqs: 0,
    last: 0,
    newest: 0,
  }));
  for (const row of rows) {
    const part = row.nth === null ? undefined : parts[row.nth - 1];
    if (row.epoch !== null) {
      epoch = row.epoch;
      if (part !== undefined) part.newest = row.seq ?? 0;
    } else if (part !== undefined) {
      part.seqs++;
      part.last = row.seq;
      if (row.id !== null) part.items.push({ seq: row.seq, message: messageFromRow(row) });
    }
  }
  if (epoch === null) throw new Error('entries came without their epoch');
  const pages = parts.map(({ after, limit, items, seqs, last, newest }): EntriesPage => {
    // After a full page the inbox may go on, so we know nothing about the range after its last entry.
    const end = seqs < limit ? newest : last;
    return { items, skipped: findSkipped(after, items, end), newest };
  });
  return { epoch, pages };
}

/**
 * The same without the epoch, for callers that do not combine it with an earlier read.
 * @throws OutageError
 */
export async function readEntries(
  db: InboxDatabase,
  queries: readonly EntriesQuery[],
): Promise<EntriesPage[]> {
  return (await readEntriesOfEpoch(db, queries)).pages;
}

/** An inbox is written without a gap. So a missing entry, or its message, was dropped with its partition. */
function findSkipped(after: number, items: readonly InboxItem[], end: number): SkippedRange[] {
  const skipped: SkippedRange[] = [];
  let next = after + 1;
  for (const { seq } of items) {
    if (seq > next) skipped.push({ from: next, to: seq - 1 });
    next = seq + 1;
  }
  if (end >= next) skipped.push({ from: next, to: end });
  return skipped;
}

/**
 * One statement reads the entries, the newest `seq` of their inboxes and the epoch from one snapshot, so that they
 * agree. `recipients` is selected only for the sender's own copies.
 */
const READ_ENTRIES: Statement = {
  name: 'read-entries',
  text: `
    SELECT epoch, asked.nth::int AS nth, (SELECT newest_seq FROM inbox WHERE user_id = asked.user_id) AS seq,
      NULL::uuid AS id, NULL AS sender, NULL::text[] AS recipients, NULL AS text, NULL::json AS data, NULL AS created_at
    FROM epoch LEFT JOIN unnest($1::text[]) WITH ORDINALITY AS asked (user_id, nth) ON true
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
    LEFT JOIN LATERAL (SELECT * FROM message WHERE id = e.message_id OFFSET 0) AS m ON true
    ORDER BY asked.nth, e.seq)`,
};
