/**
 * Postgres is out of reach, too slow, or not ready for us. The outcome of a write is unknown: it may
 * have been committed. Callers answer 503 or `unavailable`; a retry with the same key is safe.
 */
export class OutageError extends Error {
  override readonly name = 'OutageError';
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

// Connection, resources, shutdown, authentication, missing database, timeouts, a schema that is behind.
const OUTAGE_CLASSES = new Set(['08', '28', '3D', '53', '57', '58', 'XX']);
const OUTAGE_STATES = new Set(['25006', '25P03', '40001', '40P01', '42501', '42P01', '42703', '55P03']);

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

/** True when the client gave up waiting for an answer; the server's own limits are shorter, so it is not there. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** The error itself when the statement is to blame, else an `OutageError` around it. */
export function asOutage(error: unknown): Error {
  if (error instanceof OutageError) return error;
  const state = sqlState(error);
  // Without a SQLSTATE it never came from the server: refused, reset, timed out, pool exhausted.
  if (state === null || OUTAGE_CLASSES.has(state.slice(0, 2)) || OUTAGE_STATES.has(state)) {
    const detail = error instanceof Error ? error.message : String(error);
    return new OutageError(`Postgres is out of reach: ${detail}`, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}
