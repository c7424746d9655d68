import { LOCKED_WAIT_MS, PART_WAIT_MS, SHARED_WAIT_MS } from './lock-wait';
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
): Promise<(Out | Error)[]> {
  const waitMs = lock === null ? SHARED_WAIT_MS : LOCKED_WAIT_MS;
  return await splitBatch(items, {
    commit: (part, isPart) => commit(part, isPart ? PART_WAIT_MS : waitMs),
    locksOf,
  });
}
