export * from './commit/accept-messages';
export { Batcher, OverloadedError } from './commit/batcher';
export { commitAroundLocks } from './commit/commit-around-locks';
export { GroupCommit } from './commit/group-commit';
export { deviceLock, LOCK_WAITS, readerLock } from './commit/lock-wait';
export * from './commit/new-message';
export {
  type DatabaseFaults,
  type DatabaseLog,
  type DatabaseOptions,
  InboxDatabase,
} from './database/database';
export { DATABASE_WAITS, type DatabaseWaits } from './database/database-waits';
export { LockedError, OutageError } from './database/outage';
export * from './schema/keep-partitions';
export * from './statements/claim-devices';
export * from './statements/compare-inboxes';
export * from './statements/find-connected-devices';
export * from './statements/find-delivery';
export * from './statements/find-last-seen';
export * from './statements/find-lowest-cursors';
export { findMessage } from './statements/find-message';
export * from './statements/find-receipts';
export * from './statements/find-user';
export * from './statements/move-cursors';
export * from './statements/purge-idempotency-keys';
export * from './statements/read-entries';
export * from './statements/read-inbox-page';
export * from './statements/record-reads';
export * from './statements/release-devices';
