/**
 * Postgres is out of reach, too slow, or not ready for us. The outcome of a write is unknown: it may
 * have been committed. Callers answer 503 or `unavailable`; a retry with the same key is safe.
 */
export class OutageError extends Error {
  override readonly name: string = 'OutageError';
}

/**
 * A row that the statement needs is locked by another transaction, for longer than the statement may wait. Nothing
 * was committed, so it may be run again, whole or in parts.
 */
export class LockedError extends OutageError {
  override readonly name: string = 'LockedError';
  /** The names of the rows, or of those that it may be; empty while nobody has found out. */
  readonly locks: readonly string[];

  constructor(message: string, { locks = [], cause }: { locks?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause });
    this.locks = locks;
  }
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

// Connection, resources, shutdown, authentication, missing database, timeouts, a schema that is behind.
const OUTAGE_CLASSES = new Set(['08', '28', '3D', '53', '57', '58', 'XX']);
const OUTAGE_STATES = new Set(['25006', '25P03', '40001', '40P01', '42501', '42P01', '42703']);

/** What refuses a message because of the clock of whoever made its id. */
const CLOCK_CONSTRAINTS = new Set<unknown>(['message_id_time_check', 'partition_bound']);

function isOfClock(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && CLOCK_CONSTRAINTS.has(error.constraint);
}

/** The SQLSTATE of an error that the server reported, else null. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return null;
  return typeof error.code === 'string' && SQLSTATE.test(error.code) ? error.code : null;
}

/** True when the statement may be run again at once: it was rolled back in favour of another. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** The SQLSTATE of a lock that was not to be had in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** True when the statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === LOCK_NOT_AVAILABLE;
}

/** True when the client gave up waiting for an answer; the server's own limits are shorter, so it is not there. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** The error itself when the statement is to blame, else an `OutageError` around it. */
export function asOutage(error: unknown): Error {
  if (error instanceof OutageError) return error;
  const state = sqlState(error);
  if (state === LOCK_NOT_AVAILABLE) {
    return new LockedError('a row is locked by another transaction', { cause: error });
  }
  if (isOfClock(error)) {
    return new OutageError('the clock is a day or more off that of Postgres: set the one that is wrong', {
      cause: error,
    });
  }
  // Without a SQLSTATE it never came from the server: refused, reset, timed out, pool exhausted.
  if (state === null || OUTAGE_CLASSES.has(state.slice(0, 2)) || OUTAGE_STATES.has(state)) {
    const detail = error instanceof Error ? error.message : String(error);
    return new OutageError(`Postgres is out of reach: ${detail}`, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}
