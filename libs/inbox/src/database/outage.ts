/**
 * Postgres is unreachable, too slow, or not ready. The outcome of a write is unknown: it may have been committed.
 * Callers answer 503 or `unavailable`. A retry with the same idempotency key is safe.
 */
export class OutageError extends Error {
  override readonly name: string = 'OutageError';
}

/**
 * Another transaction has locked a row that the statement needs, for longer than the statement may wait. Nothing was
 * committed, so the statement may be run again, whole or in parts.
 */
export class LockedError extends OutageError {
  override readonly name: string = 'LockedError';
  /** The names of the locked rows, or of those that may be locked. Empty until `splitBatch` has found out. */
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

/** Constraints that refuse a message if the clock of the process that made its id is wrong. */
const CLOCK_CONSTRAINTS = new Set<unknown>(['message_id_time_check', 'partition_bound']);

function isOfClock(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && CLOCK_CONSTRAINTS.has(error.constraint);
}

/** The SQLSTATE of an error that the server reported; null for any other error. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return null;
  return typeof error.code === 'string' && SQLSTATE.test(error.code) ? error.code : null;
}

/** True when Postgres rolled the statement back in favour of another: it may be run again at once. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** The SQLSTATE of a lock that did not become free in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** True when the statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === LOCK_NOT_AVAILABLE;
}

/**
 * True when the client gave up waiting. The server has shorter limits and would have answered, so it is gone or hangs.
 */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** Wraps an error in an `OutageError`, unless the statement itself caused it: then the error is returned as it is. */
export function asOutage(error: unknown): Error {
  if (error instanceof OutageError) return error;
  const state = sqlState(error);
  if (state === LOCK_NOT_AVAILABLE) {
    return new LockedError('another transaction has locked a row', { cause: error });
  }
  if (isOfClock(error)) {
    return new OutageError('the clock is a day or more off that of Postgres: correct the one that is wrong', {
      cause: error,
    });
  }
  // An error without a SQLSTATE did not come from the server: refused, reset, timed out, or the pool was exhausted.
  if (state === null || OUTAGE_CLASSES.has(state.slice(0, 2)) || OUTAGE_STATES.has(state)) {
    const detail = error instanceof Error ? error.message : String(error);
    return new OutageError(`Postgres is unreachable: ${detail}`, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}
