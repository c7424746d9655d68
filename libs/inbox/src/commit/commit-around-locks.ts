import { LOCK_WAITS } from './lock-wait';
import { splitBatch } from './split-batch';

/** A statement for many, and what each of them locks. */
export interface LockingStatement<Item, Out> {
  /** @throws LockedError when a row stays locked for `lockWaitMs`: nothing was done */
  readonly commit: (items: readonly Item[], lockWaitMs: number) => Promise<readonly Out[]>;
  readonly locksOf: (item: Item) => readonly string[];
}

/**
 * Commits a batch so that a row that another transaction has locked keeps only those waiting that need it: they get
 * a `LockedError`, the others are committed. Never rejects.
 *
 * @param lock what the batch is known to wait for, where it is one of those that were left behind
 */
export async function commitAroundLocks<Item, Out>(
  items: readonly Item[],
  lock: string | null,
  { commit, locksOf }: LockingStatement<Item, Out>,
  { sharedMs, lockedMs, partMs, splitMs } = LOCK_WAITS,
): Promise<(Out | Error)[]> {
  const waitMs = lock === null ? sharedMs : lockedMs;
  return await splitBatch(items, {
    commit: (part, isPart) => commit(part, isPart ? partMs : waitMs),
    splitMs,
    locksOf,
  });
}
