import type { InboxItem } from '@posthorn/protocol';
import type { InboxDatabase, Statement } from './database';
import { type EntriesQuery, readEntries } from './read-entries';

/** One page of an inbox, and the newest `seq` of the whole. */
export interface InboxPage {
  items: InboxItem[];
  lastSeq: number;
}

/**
 * The caller's inbox for clients without a socket (PROTOCOL §4.5).
 * The entries are read first: `lastSeq` is then never below the last of them.
 * @throws OutageError
 */
export async function readInboxPage(db: InboxDatabase, query: EntriesQuery): Promise<InboxPage> {
  const [items] = await readEntries(db, [query]);
  const [inbox] = await db.run<{ newest_seq: number }>(NEWEST_SEQ, [query.user]);
  return { items: items ?? [], lastSeq: inbox?.newest_seq ?? 0 };
}

const NEWEST_SEQ: Statement = {
  name: 'newest-seq',
  text: 'SELECT newest_seq FROM inbox WHERE user_id = $1',
};
