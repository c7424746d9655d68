import {
  GroupCommit,
  type InboxDatabase,
  LOCK_WAITS,
  type ReadOutcome,
  type ReadRequest,
  readerLock,
  recordReads,
} from '@posthorn/inbox';

export type ReadCommitter = GroupCommit<ReadRequest, ReadOutcome>;

/**
 * Records what users have read, the requests of many in one statement.
 *
 * @param lockedRowMs how long a read waits for a row that another transaction has locked
 */
export function createReadCommitter(db: InboxDatabase, lockedRowMs: number): ReadCommitter {
  return new GroupCommit({
    name: 'reads',
    maxBatch: 64,
    maxPending: 1_024,
    concurrency: 1,
    maxLocked: 256,
    waits: { ...LOCK_WAITS, laneMs: lockedRowMs },
    commit: (reads, lockWaitMs) => recordReads(db, reads, lockWaitMs),
    locksOf: (read) => [readerLock(read)],
  });
}
