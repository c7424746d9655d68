/**
 * How long statements wait for a row that another transaction has locked, in milliseconds. Whoever waits keeps what
 * it has locked already from others: a statement for many waits shortly, and in their place those that need the
 * row wait by themselves (`locked-lane.ts`).
 */
export const SHARED_WAIT_MS = 150;
/** Of the parts of such a statement, once one of its rows was found to be locked. */
export const PART_WAIT_MS = 20;
/** Of a statement for those only that need the row. */
export const LOCKED_WAIT_MS = 250;

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
