import {
  commitAroundLocks,
  type InboxDatabase,
  LockedLane,
  type ReadOutcome,
  type ReadRequest,
  readerLock,
  recordReads,
} from '@posthorn/inbox';
import type { ClientFrame } from '@posthorn/protocol';
import { Batcher, type Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { Session } from '../session/session';
import { isUnavailable } from '../unavailable';
import type { ReceiptTeller } from './receipt-news';

const MAX_WAITING_LOCKED = 1_000;

/**
 * Records read receipts, those of all sessions in one statement. `ok` follows the commit. Whose receipts another
 * transaction has locked waits apart from the others.
 */
export class ReadRecorder {
  readonly #reads: Batcher<ReadRequest, ReadOutcome>;
  readonly #locked: LockedLane<ReadRequest, ReadOutcome>;
  readonly #metrics: GatewayMetrics;
  readonly #log: Logger;

  constructor(db: InboxDatabase, teller: ReceiptTeller, metrics: GatewayMetrics, log: Logger) {
    this.#metrics = metrics;
    this.#log = log;
    const locksOf = (read: ReadRequest): string[] => [readerLock(read)];
    const run = async (reads: readonly ReadRequest[], lock: string | null) => {
      const outcomes = await commitAroundLocks(reads, lock, {
        commit: (some, lockWaitMs) => recordReads(db, some, lockWaitMs),
        locksOf,
      });
      teller.tell(outcomes.flatMap((outcome) => (outcome instanceof Error ? [] : outcome.news)));
      return outcomes;
    };
    this.#reads = new Batcher({
      name: 'reads',
      maxBatch: 100,
      maxPending: 20_000,
      concurrency: 2,
      run: (reads) => run(reads, null),
    });
    this.#locked = new LockedLane({ run, locksOf, maxWaiting: MAX_WAITING_LOCKED, concurrency: 1 });
  }

  /** Records what the user has read, and answers the frame. */
  async record(session: Session, { ids, ref }: ClientFrame & { type: 'read' }): Promise<void> {
    try {
      const read = { user: session.user, ids };
      const { isKnown } = await this.#locked.around(read, (item) => this.#reads.submit(item));
      if (isKnown) {
        session.forgiveBadFrames();
        session.ok(ref);
        return;
      }
      this.#metrics.badFrames.inc({ code: 'not_in_inbox' });
      session.refuse('not_in_inbox', 'one of the ids is not in your inbox; nothing was recorded', ref);
    } catch (error) {
      if (!isUnavailable(error))
        this.#log.error('receipts could not be recorded', { user: session.user, error });
      session.fail('unavailable', 'the receipts were not recorded', ref);
    }
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#locked.idle();
  }
}
