import { OutageError, OverloadedError } from '@posthorn/inbox';

/** True for an error that says that Postgres cannot take more now: nothing is wrong with what was asked. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof OutageError || error instanceof OverloadedError;
}
