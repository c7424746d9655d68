import type { Logger } from './logger';
import { PROBLEM_CONTENT_TYPE, Problem, problem, problemBody } from './problem';

/** A request to the admin port, without its transport. */
export interface AdminRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The JSON body; `undefined` where there was none. */
  readonly body: unknown;
}

export interface AdminResponse {
  readonly status: number;
  /** Text as it is, anything else as JSON; `undefined` is an empty answer. */
  readonly body?: unknown;
  /** For text; `text/plain` by default. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a request, or throws a `Problem`. */
export type AdminHandler = (request: AdminRequest) => Promise<AdminResponse>;

/** One method on one exact path. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly handle: AdminHandler;
}

/**
 * The route of a request.
 *
 * @throws Problem `not_found` or `method_not_allowed`
 */
export function routeFor(routes: readonly AdminRoute[], method: string, path: string): AdminRoute {
  const here = routes.filter((route) => route.path === path);
  if (here.length === 0) {
    throw problem('not_found', { detail: 'The admin port has no such path.' });
  }
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = here.find((candidate) => candidate.method === wanted);
  if (route === undefined) {
    const allowed = here.flatMap((other) => (other.method === 'GET' ? ['GET', 'HEAD'] : [other.method]));
    throw problem('method_not_allowed', { headers: { Allow: allowed.join(', ') } });
  }
  return route;
}

/** The answer that stands for an error; one that is no `Problem` is logged and hidden. */
export function answerOfError(error: unknown, log: Logger, requestId: string): AdminResponse {
  if (!(error instanceof Problem)) {
    log.error('admin request failed', { requestId, error });
  }
  const answer =
    error instanceof Problem ? error : problem('internal', { detail: 'The request could not be handled.' });
  return {
    status: answer.status,
    body: problemBody(answer),
    contentType: PROBLEM_CONTENT_TYPE,
    headers: answer.headers,
  };
}
