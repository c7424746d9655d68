import {
  type CursorMove,
  type CursorMoved,
  commitAroundLocks,
  deviceLock,
  type InboxDatabase,
  LockedLane,
  moveCursors,
} from '@posthorn/inbox';
import { Batcher, type Logger } from '@posthorn/runtime';
import type { ListTrimmer } from './list-trimmer';
import type { GatewayMetrics } from './metrics';
import type { ReceiptTeller } from './receipt-news';
import type { Session } from './session';
import { isUnavailable } from './unavailable';

const MAX_WAITING_LOCKED = 1_000;

/**
 * Commits acknowledgements: one move under way for each session, what it acknowledges meanwhile goes with the next,
 * and the moves of all sessions in one statement. `ok` follows the commit. Whose device another transaction has
 * locked waits apart from the others.
 */
export class AckCommitter {
  readonly #moves: Batcher<CursorMove, CursorMoved>;
  readonly #locked: LockedLane<CursorMove, CursorMoved>;
  readonly #busy = new Set<Session>();
  readonly #trimmer: ListTrimmer;
  readonly #metrics: GatewayMetrics;
  readonly #log: Logger;
  readonly #onRefused: () => void;

  constructor(
    db: InboxDatabase,
    teller: ReceiptTeller,
    trimmer: ListTrimmer,
    metrics: GatewayMetrics,
    log: Logger,
    onRefused: () => void,
  ) {
    this.#trimmer = trimmer;
    this.#metrics = metrics;
    this.#log = log;
    this.#onRefused = onRefused;
    const locksOf = (move: CursorMove): string[] => [deviceLock(move)];
    const run = async (moves: readonly CursorMove[], lock: string | null) => {
      const results = await commitAroundLocks(moves, lock, {
        commit: (some, lockWaitMs) => moveCursors(db, some, lockWaitMs),
        locksOf,
      });
      teller.tell(results.flatMap((result) => (result instanceof Error ? [] : result.news)));
      return results;
    };
    this.#moves = new Batcher({
      name: 'acknowledgements',
      maxBatch: 500,
      maxPending: 100_000,
      concurrency: 2,
      run: (moves) => run(moves, null),
    });
    this.#locked = new LockedLane({ run, locksOf, maxWaiting: MAX_WAITING_LOCKED, concurrency: 1 });
  }

  /** Commits what the session acknowledges, now or with the move that is under way. */
  commit(session: Session): void {
    if (this.#busy.has(session) || session.ackWanted <= session.ackCommitted) return;
    this.#busy.add(session);
    void this.#move(session);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#locked.idle();
  }

  async #move(session: Session): Promise<void> {
    const { user, device, fence, ackWanted: seq } = session;
    let isOutage = false;
    try {
      if (fence === null) return;
      const move = { user, device, fence, seq };
      const { isHolder, cursor } = await this.#locked.around(move, (item) => this.#moves.submit(item));
      if (isHolder) this.#succeed(session, cursor);
      else this.#refuse(session);
    } catch (error) {
      if (!isUnavailable(error))
        this.#log.error('an acknowledgement could not be committed', { user, device, error });
      isOutage = true;
      this.#fail(session);
    } finally {
      this.#busy.delete(session);
    }
    if (!isOutage) this.commit(session);
  }

  /** The cursor may have come a part of the way only: the rest goes with the next move. */
  #succeed(session: Session, cursor: number): void {
    session.ackCommitted = Math.max(session.ackCommitted, cursor);
    this.#metrics.acks.inc({ outcome: 'committed' });
    this.#trimmer.mark(session.user);
    while (session.ackRefs[0] !== undefined && session.ackRefs[0].seq <= cursor)
      session.ok(session.ackRefs.shift()?.ref);
  }

  /** A newer connection holds the device, or the inboxes were restored: reconcile tells which, and ends this one. */
  #refuse(session: Session): void {
    session.ackWanted = session.ackCommitted;
    session.ackRefs.length = 0;
    this.#metrics.acks.inc({ outcome: 'refused' });
    this.#onRefused();
  }

  /** What was wanted stays wanted: the next acknowledgement or reconcile tries again. */
  #fail(session: Session): void {
    this.#metrics.acks.inc({ outcome: 'unavailable' });
    for (const { ref } of session.ackRefs.splice(0))
      session.fail('unavailable', 'the acknowledgement was not committed', ref);
  }
}
