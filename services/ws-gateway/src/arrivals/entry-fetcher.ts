import { Batcher, type EntriesPage, type InboxDatabase, readEntriesOfEpoch } from '@posthorn/inbox';
import type { InboxItem } from '@posthorn/protocol';
import { type ListedEntry, type OfflineList, RedisOutageError } from '@posthorn/routing';
import type { Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { SkippedRange, Want } from '../session/delivery';
import { incompleteJsonOf, messageJsonOf } from '../session/message-json';
import type { Session } from '../session/session';
import { isUnavailable } from '../unavailable';

/** How long a hole among live entries waits for the missing publish, before Postgres is asked. */
const HOLE_GRACE_MS = 15;
/** After an error a session asks again after this time, or up to twice as long. */
const RETRY_MS = 500;
/** Fetches per statement. One fetch wants at most 64 entries (`Delivery`). */
const MAX_BATCH = 16;

interface Fetch {
  session: Session;
  want: Want;
}

interface Fetched {
  page: EntriesPage;
  epoch: string;
}

/**
 * Fetches the entries that sessions are missing: from the offline list while a session drains, otherwise from
 * Postgres, many sessions per statement. Each session has at most one fetch at a time.
 */
export class EntryFetcher {
  readonly #list: OfflineList;
  readonly #metrics: GatewayMetrics;
  readonly #postgres: Batcher<Fetch, Fetched>;
  readonly #log: Logger;
  readonly #onNewEpoch: (session: Session) => void;
  #isStopped = false;

  /** @param onNewEpoch called with a session of an old epoch, when the inboxes got a new one */
  constructor(
    db: InboxDatabase,
    list: OfflineList,
    metrics: GatewayMetrics,
    log: Logger,
    onNewEpoch: (session: Session) => void,
  ) {
    this.#onNewEpoch = onNewEpoch;
    this.#log = log;
    this.#list = list;
    this.#metrics = metrics;
    this.#postgres = new Batcher({
      name: 'fetch',
      maxBatch: MAX_BATCH,
      maxPending: 50_000,
      concurrency: 3,
      run: async (fetches) => {
        const { epoch, pages } = await readEntriesOfEpoch(
          db,
          fetches.map(({ session, want }) => ({ user: session.user, ...want })),
        );
        return pages.map((page) => ({ page, epoch }));
      },
    });
  }

  /** Fetches what the session wants, and goes on until it wants nothing. */
  fetch(session: Session): void {
    if (session.isFetching || this.#isStopped) return;
    session.isFetching = true;
    if (isHole(session)) setTimeout(() => void this.#run(session), HOLE_GRACE_MS);
    else void this.#run(session);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(session: Session): Promise<void> {
    let isOutage = false;
    try {
      const want = session.delivery?.want() ?? null;
      if (want !== null && session.state !== 'closed' && !this.#isStopped) await this.#fill(session, want);
    } catch (error) {
      // Retry after other errors, too: the rest of the sessions must still be served.
      if (!isUnavailable(error))
        this.#log.error('entries could not be fetched', { user: session.user, error });
      isOutage = true;
    }
    if (isOutage && session.state !== 'closed' && !this.#isStopped) {
      // `isFetching` stays true, so that nothing else fetches for this session until the timer fires.
      setTimeout(() => void this.#run(session), RETRY_MS * (1 + Math.random())).unref();
      return;
    }
    session.isFetching = false;
    session.pump();
  }

  async #fill(session: Session, want: Want): Promise<void> {
    if (session.mayUseList && session.state === 'draining') {
      const entries = await this.#readList(session, want);
      session.mayUseList = entries.length > 0;
      for (const entry of entries) arriveFromList(session, entry);
      if (session.delivery?.want()?.after !== want.after) return;
      session.mayUseList = false;
    }
    if (isHole(session)) this.#metrics.gapFills.inc();
    session.delivery?.beginReading();
    const { page, epoch } = await this.#postgres.submit({ session, want });
    // In another epoch the same `seq` is another entry. This connection must not get any of these.
    if (epoch !== session.epoch) return this.#onNewEpoch(session);
    for (const part of inOrder(page)) {
      if ('seq' in part) this.#arrive(session, part, epoch);
      else session.skip(part);
      // Send each part before the next one arrives, so that none is kept in memory.
      session.pump();
    }
    // A notice may have named a `seq` that does not exist. Postgres is right, so do not wait for it.
    session.delivery?.correct(page.newest);
  }

  /**
   * Hands an entry to the session. A message that cannot be encoded is sent in its turn, without `data` and marked
   * `incomplete` (PROTOCOL §5.2). Leaving it out would be a gap, and waiting would hold back all later entries.
   */
  #arrive(session: Session, { seq, message }: InboxItem, epoch: string): void {
    const { id: messageId, createdAt } = message;
    const entry = { seq, messageId, createdAt, source: 'postgres', epoch } as const;
    const messageJson = messageJsonOf(message);
    if (messageJson === null) {
      this.#metrics.incomplete.inc();
      this.#log.error('a message could not be encoded', { user: session.user, seq, messageId });
      session.arrive({ ...entry, messageJson: incompleteJsonOf(message), isIncomplete: true });
    } else {
      session.arrive({ ...entry, messageJson });
    }
  }

  /** Entries of this epoch in the offline list. None while Redis is unreachable: Postgres has them all. */
  async #readList(session: Session, want: Want): Promise<ListedEntry[]> {
    try {
      const entries = await this.#list.read(session.user, want.after, want.limit);
      return entries.filter((entry) => entry.epoch === session.epoch);
    } catch (error) {
      if (!(error instanceof RedisOutageError)) throw error;
      return [];
    }
  }
}

/** The items and skipped ranges of a page, in the order of the inbox. */
function inOrder({ items, skipped }: EntriesPage): (InboxItem | SkippedRange)[] {
  if (skipped.length === 0) return items;
  const placeOf = (part: InboxItem | SkippedRange): number => ('seq' in part ? part.seq : part.from);
  return [...items, ...skipped].sort((a, b) => placeOf(a) - placeOf(b));
}

/** True if a live connection got an entry before its turn. */
function isHole(session: Session): boolean {
  return session.state === 'live' && (session.delivery?.hasEarly ?? false);
}

/**
 * Hands an entry of the offline list to the session and sends it at once, so that it is not kept in memory. An entry
 * whose message is not in the list, or cannot be encoded, comes from Postgres.
 */
function arriveFromList(session: Session, { seq, epoch, message, trace }: ListedEntry): void {
  const messageJson = message === undefined ? null : messageJsonOf(message);
  if (message === undefined || messageJson === null) {
    session.learn(seq, epoch);
    return;
  }
  const { id: messageId, createdAt } = message;
  const traced = trace === undefined ? {} : { trace };
  session.arrive({ seq, messageJson, messageId, createdAt, source: 'list', epoch, ...traced });
  session.pump();
}
