import { type InboxDatabase, OutageError, readEntries } from '@posthorn/inbox';
import { type InboxItem } from '@posthorn/protocol';
import { type ListedEntry, type OfflineList, RedisOutageError } from '@posthorn/routing';
import { Batcher, OverloadedError } from '@posthorn/runtime';
import type { Entry, EntrySource, Want } from './delivery';
import type { GatewayMetrics } from './metrics';
import type { Session } from './session';

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

/**
 * Gets the entries that sessions lack: while one drains from the user's offline list, for what that lacks from
 * Postgres, several sessions in one statement. One fetch at a time for each session.
 */
export class EntryFetcher {
  readonly #list: OfflineList;
  readonly #metrics: GatewayMetrics;
  readonly #postgres: Batcher<Fetch, InboxItem[]>;
  #isStopped = false;

  constructor(db: InboxDatabase, list: OfflineList, metrics: GatewayMetrics) {
    this.#list = list;
    this.#metrics = metrics;
    this.#postgres = new Batcher({
      name: 'fetch',
      maxBatch: MAX_BATCH,
      maxPending: 50_000,
      concurrency: 3,
      run: async (fetches) =>
        readEntries(
          db,
          fetches.map(({ session, want }) => ({ user: session.user, ...want })),
        ),
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
      if (!(error instanceof OutageError) && !(error instanceof OverloadedError)) throw error;
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
      for (const entry of entries) arriveFrom(session, 'list', entry.seq, entry.message);
      session.mayUseList = entries.length > 0;
      if (session.delivery?.want()?.after !== want.after) return;
      session.mayUseList = false;
    }
    if (isHole(session)) this.#metrics.gapFills.inc();
    const newestAtAsk = session.delivery?.newest;
    const items = await this.#postgres.submit({ session, want });
    for (const item of items) arriveFrom(session, 'postgres', item.seq, item.message);
    // A hint is never waited on for ever: where Postgres has less than was told, Postgres is right.
    if (items.length < want.limit && session.delivery?.newest === newestAtAsk) {
      session.delivery?.correct(want.after + items.length);
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

/** Something came before its turn on a live connection. */
function isHole(session: Session): boolean {
  return session.state === 'live' && (session.delivery?.hasEarly ?? false);
}

function arriveFrom(
  session: Session,
  source: EntrySource,
  seq: number,
  message: ListedEntry['message'],
): void {
  if (message === undefined) {
    session.learn(seq);
    return;
  }
  const entry: Entry = {
    seq,
    messageJson: JSON.stringify(message),
    messageId: message.id,
    createdAt: message.createdAt,
    source,
  };
  session.arrive(entry);
}
