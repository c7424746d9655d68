import {
  commitAroundLocks,
  type InboxDatabase,
  LockedLane,
  type ReadOutcome,
  type ReadRequest,
  readerLock,
  recordReads,
} from '@posthorn/inbox';
import { Batcher } from '@posthorn/runtime';

const BATCH = 64;
const MAX_WAITING = 1_024;
const MAX_WAITING_LOCKED = 256;

/** Group commit of read receipts: one reader's locked receipt keeps nobody else waiting. */
export class ReadCommitter {
  readonly #reads: Batcher<ReadRequest, ReadOutcome>;
  readonly #locked: LockedLane<ReadRequest, ReadOutcome>;

  /** @param lockedRowMs how long a read waits for a row that another transaction has locked */
  constructor(db: InboxDatabase, lockedRowMs: number) {
    const locksOf = (read: ReadRequest): string[] => [readerLock(read)];
    const run = (reads: readonly ReadRequest[], lock: string | null): Promise<(ReadOutcome | Error)[]> =>
      commitAroundLocks(reads, lock, {
        commit: (some, lockWaitMs) => recordReads(db, some, lockWaitMs),
        locksOf,
      });
    this.#reads = new Batcher({
      name: 'reads',
      run: (reads) => run(reads, null),
      maxBatch: BATCH,
      maxPending: MAX_WAITING,
      concurrency: 1,
    });
    this.#locked = new LockedLane({
      run,
      locksOf,
      maxWaiting: MAX_WAITING_LOCKED,
      maxWaitMs: lockedRowMs,
      concurrency: 1,
    });
  }

  /**
   * Records what a user has read, committed when it returns.
   *
   * @throws OutageError when Postgres is out of reach, too slow, or a receipt stays locked
   * @throws OverloadedError when too many wait: nothing was done
   */
  async commit(read: ReadRequest): Promise<ReadOutcome> {
    return await this.#locked.around(read, (item) => this.#reads.submit(item));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#locked.idle();
  }
}
