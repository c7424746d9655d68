import { randomUUID } from 'node:crypto';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The caller's `X-Request-Id` if it comes once and is 1 to 128 of `A-Z a-z 0-9 . _ -`; otherwise a new UUID. */
export function requestIdFrom(header: string | readonly string[] | undefined): string {
  const id = typeof header === 'string' ? header : header?.length === 1 ? header[0] : undefined;
  return id !== undefined && REQUEST_ID.test(id) ? id : randomUUID();
}
