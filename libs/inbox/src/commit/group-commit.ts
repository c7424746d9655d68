import { Batcher } from './batcher';
import { commitAroundLocks } from './commit-around-locks';
import { LOCK_WAITS, type LockWaits } from './lock-wait';
import { LockedLane } from './locked-lane';

/** Limits of the batches. */
interface BatchLimits {
  /** Appears in the messages of errors. */
  readonly name: string;
  /** Items of one batch at most. */
  readonly maxBatch: number;
  /** Items added and not answered at most, locked ones not counted. Beyond it `add` rejects. */
  readonly maxPending: number;
}

/**
 * Returns a value or an error for each item, in order. A `LockedError` that names locks makes its item wait.
 *
 * @param lock the row that all these items are known to wait for, or null
 */
type CommitBatch<In, Out> = (items: readonly In[], lock: string | null) => Promise<readonly (Out | Error)[]>;

/** A batch is committed by one statement, or by a function that takes the batch apart itself. */
type Commit<In, Out> =
  | {
      /** @throws LockedError when a row stays locked for `lockWaitMs`: nothing was done */
      readonly commit: (items: readonly In[], lockWaitMs: number) => Promise<readonly Out[]>;
      readonly commitBatch?: undefined;
    }
  | { readonly commitBatch: CommitBatch<In, Out>; readonly commit?: undefined };

export type GroupCommitOptions<In, Out> = BatchLimits &
  Commit<In, Out> & {
    /** Wide items have batches and limits of their own, so that no other item waits behind them. */
    readonly wide?: BatchLimits & { readonly isWide: (item: In) => boolean };
    /** Batches in flight at most; 2 by default. */
    readonly concurrency?: number;
    /** Time between two batches at least; 0 by default. The first batch leaves at once. */
    readonly paceMs?: number;
    /** The names of all rows that an item locks. */
    readonly locksOf: (item: In) => readonly string[];
    /** Items that wait for locked rows at most; 1,000 by default. Beyond it an item gets its `LockedError` at once. */
    readonly maxLocked?: number;
    /** Statements in flight at most for items that wait for locked rows; 1 by default. */
    readonly lockedConcurrency?: number;
    /** Asked before an item is committed: the item gets the error instead. */
    readonly expired?: (item: In) => Error | null;
    /** A `commitBatch` chooses the waits of its statements itself. */
    readonly waits?: LockWaits;
  };

const CONCURRENCY = 2;
const MAX_LOCKED = 1_000;

/**
 * Commits items in groups, because one statement for many costs little more than a statement for one. While a
 * batch is committed, the next one gathers. An item that needs a locked row waits apart (`locked-lane.ts`), so
 * it delays only the items that need the same row.
 */
export class GroupCommit<In, Out> {
  readonly #batches: readonly Batcher<In, Out>[];
  readonly #submit: (item: In) => Promise<Out>;
  readonly #locked: LockedLane<In, Out>;

  constructor(options: GroupCommitOptions<In, Out>) {
    const { wide, concurrency = CONCURRENCY, paceMs = 0, expired, waits = LOCK_WAITS } = options;
    const run = commitBatchOf(options, waits);
    const batchesWith = ({ name, maxBatch, maxPending }: BatchLimits): Batcher<In, Out> =>
      new Batcher({
        name,
        maxBatch,
        maxPending,
        concurrency,
        paceMs,
        ...(expired && { expired }),
        run: (items) => run(items, null),
      });
    const batches = batchesWith(options);
    const wideBatches = wide === undefined ? batches : batchesWith(wide);
    this.#batches = wide === undefined ? [batches] : [batches, wideBatches];
    this.#submit = (item) => (wide?.isWide(item) === true ? wideBatches : batches).submit(item);
    this.#locked = new LockedLane({
      run,
      locksOf: options.locksOf,
      maxWaiting: options.maxLocked ?? MAX_LOCKED,
      maxWaitMs: waits.laneMs,
      concurrency: options.lockedConcurrency ?? 1,
      ...(expired && { expired }),
    });
  }

  /** Items that wait for their commit. */
  get pending(): number {
    return this.#batches.reduce((sum, { pending }) => sum + pending, this.#locked.pending);
  }

  /**
   * Commits one item together with others; it is committed when the promise resolves.
   *
   * @throws OverloadedError when too many items wait: nothing was done
   * @throws LockedError when a row that it needs stays locked: nothing was done
   * @throws OutageError when Postgres is unreachable or too slow
   */
  add(item: In): Promise<Out> {
    return this.#locked.around(item, this.#submit);
  }

  /** Resolves when no item waits. */
  idle(): Promise<void> {
    return this.#locked.idle();
  }
}

function commitBatchOf<In, Out>(
  { commit, commitBatch, locksOf }: GroupCommitOptions<In, Out>,
  waits: LockWaits,
): CommitBatch<In, Out> {
  if (commitBatch !== undefined) return commitBatch;
  const statement = { commit, locksOf };
  return (items, lock) => commitAroundLocks(items, lock, statement, waits);
}
