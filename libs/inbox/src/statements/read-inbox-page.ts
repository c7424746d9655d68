import type { InboxItem, SkippedRange } from '@posthorn/protocol';
import type { InboxDatabase } from '../database/database';
import { type EntriesQuery, readEntries } from './read-entries';

/** One page of an inbox, and the newest `seq` of the whole inbox. */
export interface InboxPage {
  items: InboxItem[];
  /** Ranges within the page that the inbox does not have any more; absent if it has everything. */
  skipped?: SkippedRange[];
  lastSeq: number;
}

/**
 * Reads a page of the caller's inbox, for clients without a WebSocket (PROTOCOL §4.5).
 * @throws OutageError
 */
export async function readInboxPage(db: InboxDatabase, query: EntriesQuery): Promise<InboxPage> {
  const [page] = await readEntries(db, [query]);
  if (page === undefined) throw new Error('a page was not read');
  const { items, skipped, newest } = page;
  return { items, ...(skipped.length === 0 ? {} : { skipped }), lastSeq: newest };
}
