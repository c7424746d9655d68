import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { problem } from '@posthorn/runtime';

/** The most unanswered requests that one connection may have (PROTOCOL §4.2). */
const MAX_UNANSWERED = 100;

const unanswered = new WeakMap<Socket, number>();

/**
 * Counts a request until its response is over. Node reads pipelined requests as fast as they arrive, so without a
 * limit one connection could start thousands at once.
 *
 * @throws Problem rate_limited over the limit
 */
export function countIn({ socket }: IncomingMessage, res: ServerResponse): void {
  const count = (unanswered.get(socket) ?? 0) + 1;
  unanswered.set(socket, count);
  res.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
  if (count > MAX_UNANSWERED) {
    throw problem('rate_limited', {
      detail: `This connection has ${MAX_UNANSWERED} requests that are not answered yet.`,
      headers: {
        RateLimit: '"unanswered";r=0',
        'RateLimit-Policy': `"unanswered";q=${MAX_UNANSWERED};qu="requests"`,
      },
    });
  }
}
