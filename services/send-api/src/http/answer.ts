import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { PROBLEM_CONTENT_TYPE, type Problem, problemBody } from '@posthorn/runtime';
import { hasBody } from './has-body';

/** How long the rest of a refused body is read and dropped, so that the caller sees the answer and not a reset. */
const LINGER_MS = 1_000;

/** Answers with JSON and `no-store`. Does nothing if an answer has already begun. */
export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  if (res.headersSent) return;
  const body = JSON.stringify(value);
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  });
  res.end(body);
}

/** Answers without a body. */
export function sendNothing(res: ServerResponse, headers: OutgoingHttpHeaders = {}): void {
  if (res.headersSent) return;
  res.writeHead(204, { 'Cache-Control': 'no-store', ...headers });
  res.end();
}

/**
 * Answers with a problem. If the body has not fully arrived, the connection is closed after the caller had time to
 * read the answer.
 */
export function sendProblem(req: IncomingMessage, res: ServerResponse, problem: Problem): void {
  if (res.headersSent) return;
  const body = JSON.stringify(problemBody(problem));
  const isEarly = !req.complete && hasBody(req);
  res.writeHead(problem.status, {
    ...problem.headers,
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...(isEarly ? { Connection: 'close' } : {}),
  });
  if (isEarly) endLate(req, res, body);
  else res.end(body);
}

/** Ends the response later: that closes the connection, and a caller that still sends would see a reset. */
function endLate(req: IncomingMessage, res: ServerResponse, body: string): void {
  const timer = setTimeout(() => res.end(), LINGER_MS);
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  req.once('end', end).once('close', end);
  res.write(body);
  req.resume();
}
