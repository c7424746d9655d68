import type { InboxItem, SkippedRange } from '@posthorn/protocol';
import type { InboxDatabase, Statement } from '../database/database';
import { type MessageRow, messageFromRow, timeSql } from '../database/message-row';

/** Which part of which inbox: the first `limit` entries beyond `after`. */
export interface EntriesQuery {
  user: string;
  after: number;
  limit: number;
}

/** A part of an inbox as one moment saw it. */
export interface EntriesPage {
  /** In order of `seq`. */
  items: InboxItem[];
  /** What lies before, between and behind the items and is not there any more, in order; up to the end of a full page, else of the inbox. */
  skipped: SkippedRange[];
  /** The newest `seq` of the whole inbox; 0 where there is none. */
  newest: number;
}

/** Parts of inboxes, and which life of the inboxes their `seq` belong to. */
export interface EntriesOfEpoch {
  epoch: string;
  /** In the order asked. */
  pages: EntriesPage[];
}

/**
 * The first row of each part tells how far its inbox goes; where nothing is asked, one tells the epoch alone. An entry
 * whose message has been dropped before it has no message.
 */
type EntryRow =
  | { epoch: string; nth: number | null; seq: number | null }
  | { epoch: null; nth: number; seq: number; id: null }
  | (MessageRow & { epoch: null; nth: number; seq: number });

/**
 * Reads parts of several inboxes at once, as their owners see them, with the epoch that all of it is of.
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
    // Behind a full page there may be more: it says nothing of what lies beyond its last entry.
    const end = seqs < limit ? newest : last;
    return { items, skipped: findSkipped(after, items, end), newest };
  });
  return { epoch, pages };
}

/**
 * The same, where no earlier reading has to be of the same epoch.
 * @throws OutageError
 */
export async function readEntries(
  db: InboxDatabase,
  queries: readonly EntriesQuery[],
): Promise<EntriesPage[]> {
  return (await readEntriesOfEpoch(db, queries)).pages;
}

/** An inbox is made without a gap: what is not there has left with the partition that it was in. */
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
 * One snapshot for the entries, the ends of their inboxes and the epoch: what was committed later is in none of them.
 * `recipients` comes along for the sender's own copies only.
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
