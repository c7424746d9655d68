import { Batcher, type EntriesPage, type InboxDatabase, readEntriesOfEpoch } from '@posthorn/inbox';
import type { InboxItem } from '@posthorn/protocol';
import { type ListedEntry, type OfflineList, RedisOutageError } from '@posthorn/routing';
import type { Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { SkippedRange, Want } from '../session/delivery';
import { incompleteJsonOf, messageJsonOf } from '../session/message-json';
import type { Session } from '../session/session';
import { isUnavailable } from '../unavailable';

/** A hole among live entries waits this long for the publish that fills it, before Postgres is asked. */
const HOLE_GRACE_MS = 15;
/** After Postgres was out of reach a session asks again this much later. */
const RETRY_MS = 500;
/** Entries of one statement at most: this times a batch. */
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
 * Gets the entries that sessions lack: while one drains from the user's offline list, for what that lacks from
 * Postgres, several sessions in one statement. One fetch at a time for each session.
 */
export class EntryFetcher {
  readonly #list: OfflineList;
  readonly #metrics: GatewayMetrics;
  readonly #postgres: Batcher<Fetch, Fetched>;
  readonly #log: Logger;
  readonly #onNewEpoch: (session: Session) => void;
  #isStopped = false;

  /** @param onNewEpoch the inboxes began a new life: this session's belong to the old one */
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
      // Also of an error that is no outage: the others are served, and this session asks again.
      if (!isUnavailable(error))
        this.#log.error('entries could not be fetched', { user: session.user, error });
      isOutage = true;
    }
    if (isOutage && session.state !== 'closed' && !this.#isStopped) {
      // isFetching stays, so that nothing else asks meanwhile; the timer ends with the session.
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
    // The same `seq` is another entry there: this connection may be sent none of it.
    if (epoch !== session.epoch) return this.#onNewEpoch(session);
    for (const part of inOrder(page)) {
      if ('seq' in part) this.#arrive(session, part, epoch);
      else session.skip(part);
      // Each is sent before the next one comes, so that none has to be kept.
      session.pump();
    }
    // A hint is never waited on for ever: where Postgres has less than was told, Postgres is right.
    session.delivery?.correct(page.newest);
  }

  /**
   * One that cannot be encoded keeps its turn, and says that a part is missing: to leave it out would be a gap, to wait for it would keep back all that follow.
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

  /** What the list has in this epoch; nothing while Redis is out of reach: Postgres has it all. */
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

/** All of a page by its place in the inbox. */
function inOrder({ items, skipped }: EntriesPage): (InboxItem | SkippedRange)[] {
  if (skipped.length === 0) return items;
  const placeOf = (part: InboxItem | SkippedRange): number => ('seq' in part ? part.seq : part.from);
  return [...items, ...skipped].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Something came before its turn on a live connection. */
function isHole(session: Session): boolean {
  return session.state === 'live' && (session.delivery?.hasEarly ?? false);
}

/** Each is sent before the next one comes, so that none has to be kept. */
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
