import {
  type CursorMove,
  type CursorMoved,
  commitAroundLocks,
  deviceLock,
  type InboxDatabase,
  LockedLane,
  moveCursors,
} from '@posthorn/inbox';
import { Batcher } from '@posthorn/runtime';
import type { ReceiptTeller } from '../receipts/receipt-news';

const MAX_WAITING_LOCKED = 1_000;
/** Half of what a statement for a few costs is the statement: a busy gateway commits what 10 ms bring together. */
const PACE_MS = 10;

/**
 * Moves of cursors, those of all sessions in one statement; what is delivered by one is told to its senders. Whose
 * device another transaction has locked waits apart from the others.
 */
export class AckMoves {
  readonly #moves: Batcher<CursorMove, CursorMoved>;
  readonly #locked: LockedLane<CursorMove, CursorMoved>;

  constructor(db: InboxDatabase, teller: ReceiptTeller) {
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
      paceMs: PACE_MS,
      run: (moves) => run(moves, null),
    });
    this.#locked = new LockedLane({ run, locksOf, maxWaiting: MAX_WAITING_LOCKED, concurrency: 1 });
  }

  /**
   * Commits one move, together with others.
   *
   * @throws OutageError when Postgres is out of reach, or the device stays locked
   * @throws OverloadedError when too many wait
   */
  async submit(move: CursorMove): Promise<CursorMoved> {
    return await this.#locked.around(move, (item) => this.#moves.submit(item));
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#locked.idle();
  }
}
