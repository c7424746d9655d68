import type { IncomingMessage } from 'node:http';

/** A host with an optional port (RFC 3986 §3.2). It is empty if the request target has no host. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]{0,5})?$/;

/**
 * What is wrong with a request's `Host` (RFC 9112 §3.2), as a sentence; null if nothing is wrong.
 *
 * @param count how many Host headers came; `headers` holds only the first
 */
export function findHostFault({ headers, httpVersion }: IncomingMessage, count: number): string | null {
  if (count > 1) return 'There is more than one Host header.';
  if (count === 0) return httpVersion === '1.1' ? 'There is no Host header.' : null;
  return HOST.test(headers.host ?? '') ? null : 'The Host header names no host.';
}
