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
  // The answer has begun. Only cutting the connection shows the caller that it is incomplete.
  if (res.headersSent) {
    if (!res.writableEnded && !(error instanceof ClientGoneError)) res.destroy();
    return;
  }
  sendProblem(req, res, answer);
}

/** The problem that answers an error. An unknown error becomes `internal`, without details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OutageError) {
    return problem('unavailable', { detail: 'The database is unreachable or too slow.', cause: error });
  }
  if (error instanceof RedisOutageError) {
    return problem('unavailable', {
      detail: 'Redis is unreachable or too slow, so presence is unknown.',
      cause: error,
    });
  }
  if (error instanceof OverloadedError) return problem('overloaded', { cause: error });
  // The router throws it for a path that cannot be decoded.
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

/** Only the message: in an outage every request logs a line, and each stack would be the same. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Problem ? error.cause : undefined;
  return String(cause instanceof Error ? cause.message : error instanceof Error ? error.message : error);
}
