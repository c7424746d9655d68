/**
 * How long is waited for rows that another transaction has locked, in milliseconds. A statement that waits keeps what
 * it has locked already from others: a statement for many waits shortly, and in its place those that need the
 * row wait by themselves (`locked-lane.ts`).
 */
export interface LockWaits {
  /** Of a statement for many. */
  readonly sharedMs: number;
  /** Of the parts of such a statement, once one of its rows was found to be locked. */
  readonly partMs: number;
  /** Of a statement for those only that need the row. */
  readonly lockedMs: number;
  /** How long a batch is taken apart; what is not settled by then counts as locked, with its neighbours. */
  readonly splitMs: number;
  /** How long an item waits in the lane, in all. */
  readonly laneMs: number;
}

/** An item's own statement besides, they are within the two seconds of PROTOCOL §4.8. */
export const LOCK_WAITS: LockWaits = {
  sharedMs: 150,
  partMs: 20,
  lockedMs: 250,
  splitMs: 500,
  laneMs: 1_300,
};

/**
 * An item of a FROM clause that sets how long the rest of its statement waits for a lock. Postgres reads the
 * setting at each wait, so it acts at once; it ends with the transaction, which is this statement.
 */
export function lockTimeoutSql(parameter: string): string {
  return `set_config('lock_timeout', ${parameter}::text, true) AS lock_wait`;
}

const INBOX = 'inbox ';

/** The counter of an inbox. */
export function inboxLock(user: string): string {
  return INBOX + user;
}

/** Whose inbox counter a lock is; null for any other. */
export function lockedInbox(lock: string): string | null {
  return lock.startsWith(INBOX) ? lock.slice(INBOX.length) : null;
}

/** An idempotency key. */
export function keyLock(sender: string, key: string): string {
  return `key ${sender} ${key}`;
}

/** A device and what its acknowledgements write. */
export function deviceLock({ user, device }: { user: string; device: string }): string {
  return `device ${user} ${device}`;
}

/** The receipts of one reader. */
export function readerLock({ user }: { user: string }): string {
  return `reader ${user}`;
}
