/**
 * How long statements wait for rows that another transaction has locked, in milliseconds. A statement that waits still
 * holds the rows that it has already locked. So a statement for many items waits only briefly. The items that need the
 * locked row then wait in statements of their own (`locked-lane.ts`).
 */
export interface LockWaits {
  /** A statement for many items. */
  readonly sharedMs: number;
  /** A part of such a statement, once one of its rows was found to be locked. */
  readonly partMs: number;
  /** A statement only for items that need the locked row. */
  readonly lockedMs: number;
  /** How long a batch is split into smaller parts. After that, all items without an outcome count as locked. */
  readonly splitMs: number;
  /** The whole time that an item waits in the lane. */
  readonly laneMs: number;
}

/** Together with the statement of the item itself, these stay within the two seconds of PROTOCOL §4.8. */
export const LOCK_WAITS: LockWaits = {
  sharedMs: 150,
  partMs: 20,
  lockedMs: 250,
  splitMs: 500,
  laneMs: 1_300,
};

/**
 * SQL for an item of a FROM clause. It sets how long the rest of the statement waits for each lock, in milliseconds.
 * Postgres reads the setting at each wait, so it takes effect at once. It ends with the transaction, which is this
 * statement.
 */
export function lockTimeoutSql(parameter: string): string {
  return `set_config('lock_timeout', ${parameter}::text, true) AS lock_wait`;
}

const INBOX = 'inbox ';

/** Names the counter row of an inbox. */
export function inboxLock(user: string): string {
  return INBOX + user;
}

/** The user whose inbox counter this lock names; null for any other lock. */
export function lockedInbox(lock: string): string | null {
  return lock.startsWith(INBOX) ? lock.slice(INBOX.length) : null;
}

/** Names the row of an idempotency key. */
export function keyLock(sender: string, key: string): string {
  return `key ${sender} ${key}`;
}

/** Names the row of a device, and the rows that its acknowledgements write. */
export function deviceLock({ user, device }: { user: string; device: string }): string {
  return `device ${user} ${device}`;
}

/** Names the receipts of one reader. */
export function readerLock({ user }: { user: string }): string {
  return `reader ${user}`;
}
