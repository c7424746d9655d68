import type { IncomingMessage, ServerResponse } from 'node:http';
import { OutageError, OverloadedError } from '@posthorn/inbox';
import { RedisOutageError } from '@posthorn/routing';
import { Problem, problem } from '@posthorn/runtime';
import { sendProblem } from './answer';
import { ClientGoneError } from './json-body';
import { contextOf, type RequestContext } from './request-context';

/** Writes every error answer of the app. */
export function answerFault(error: unknown, req: IncomingMessage, res: ServerResponse): void {
  const context = contextOf(req);
  const answer = problemOf(error);
  logProblem(context, answer, error);
  // An answer that has begun cannot be taken back; only cutting it off shows that it is not whole.
  if (res.headersSent) {
    if (!res.writableEnded && !(error instanceof ClientGoneError)) res.destroy();
    return;
  }
  sendProblem(req, res, answer);
}

/** What the caller is told of an error; nothing of an unknown one but that it happened. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OutageError) {
    return problem('unavailable', { detail: 'The database is out of reach or too slow.', cause: error });
  }
  if (error instanceof RedisOutageError) {
    return problem('unavailable', { detail: 'Presence is out of reach.', cause: error });
  }
  if (error instanceof OverloadedError) return problem('overloaded', { cause: error });
  // A path that cannot be decoded; it comes from the router.
  if (error instanceof URIError)
    return problem('malformed_request', { detail: 'The path cannot be decoded.' });
  if (error instanceof ClientGoneError)
    return problem('malformed_request', { detail: 'The body is not complete.' });
  return problem('internal', { detail: 'The request could not be handled.', cause: error });
}

function logProblem({ log }: RequestContext, { code, status, detail }: Problem, error: unknown): void {
  if (code === 'internal') log.error('request failed', { code, status, error });
  else if (status >= 500) log.error('request not served', { code, status, reason: reasonOf(error) });
  else if (log.isLevelEnabled('debug')) log.debug('request refused', { code, status, detail });
}

/** In an outage there is a line for each request: the message says enough, a stack would say the same each time. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Problem ? error.cause : undefined;
  return String(cause instanceof Error ? cause.message : error instanceof Error ? error.message : error);
}
