import { OutageError, OverloadedError } from '@posthorn/inbox';

/** True if the error means that Postgres cannot take the request now. The request itself is not wrong. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof OutageError || error instanceof OverloadedError;
}
