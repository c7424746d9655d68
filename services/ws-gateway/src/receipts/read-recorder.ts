import {
  GroupCommit,
  type InboxDatabase,
  type ReadOutcome,
  type ReadRequest,
  readerLock,
  recordReads,
} from '@posthorn/inbox';
import type { ClientFrame } from '@posthorn/protocol';
import type { Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { Session } from '../session/session';
import { isUnavailable } from '../unavailable';
import type { ReceiptTeller } from './receipt-news';

/** Records read receipts, those of all sessions in one statement. `ok` follows the commit. */
export class ReadRecorder {
  readonly #reads: GroupCommit<ReadRequest, ReadOutcome>;
  readonly #metrics: GatewayMetrics;
  readonly #log: Logger;

  constructor(db: InboxDatabase, teller: ReceiptTeller, metrics: GatewayMetrics, log: Logger) {
    this.#metrics = metrics;
    this.#log = log;
    this.#reads = new GroupCommit({
      name: 'reads',
      maxBatch: 100,
      maxPending: 20_000,
      commit: async (reads, lockWaitMs) => {
        const outcomes = await recordReads(db, reads, lockWaitMs);
        teller.tell(outcomes.flatMap(({ news }) => news));
        return outcomes;
      },
      locksOf: (read) => [readerLock(read)],
    });
  }

  /** Records what the user has read, and answers the frame. */
  async record(session: Session, { ids, ref }: ClientFrame & { type: 'read' }): Promise<void> {
    try {
      const { isKnown } = await this.#reads.add({ user: session.user, ids });
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
    return this.#reads.idle();
  }
}
