import type { Logger } from '../log/logger';
import { PROBLEM_CONTENT_TYPE, Problem, problem, problemBody } from '../problems/problem';

/** A request to the admin port, without its transport. */
export interface AdminRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The query's parameters. If a parameter is repeated, the last value wins. */
  readonly query?: Readonly<Record<string, string>>;
  /** The `Authorization` header. */
  readonly authorization?: string;
  /** The path's values for the route's named segments (`:user`), by name. */
  readonly params?: Readonly<Record<string, string>>;
  /** The JSON body; `undefined` if there was none. */
  readonly body: unknown;
}

export interface AdminResponse {
  readonly status: number;
  /** Text is sent as it is, anything else as JSON; `undefined` sends no body. */
  readonly body?: unknown;
  /** For text; `text/plain` by default. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a request, or throws a `Problem`. */
export type AdminHandler = (request: AdminRequest) => Promise<AdminResponse>;

/**
 * One method on one path. A segment that begins with a colon matches any non-empty text and names it: `/users/:user`.
 */
export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly handle: AdminHandler;
}

/** The route that matches a request, and the values of its named segments. */
export interface FoundRoute {
  readonly route: AdminRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** @throws Problem `not_found` or `method_not_allowed` */
export function routeFor(routes: readonly AdminRoute[], method: string, path: string): FoundRoute {
  const here = routes.filter((route) => paramsIn(route.path, path) !== null);
  if (here.length === 0) {
    throw problem('not_found', { detail: 'The admin port has no such path.' });
  }
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = here.find((candidate) => candidate.method === wanted);
  if (route === undefined) {
    const allowed = here.flatMap((other) => (other.method === 'GET' ? ['GET', 'HEAD'] : [other.method]));
    throw problem('method_not_allowed', { headers: { Allow: allowed.join(', ') } });
  }
  return { route, params: paramsIn(route.path, path) ?? {} };
}

/** The decoded values of a pattern's named segments; null if the path does not match. */
function paramsIn(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const text = given[index] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== text) return null;
    } else {
      const value = decoded(text);
      if (value === null || value === '') return null;
      params[segment.slice(1)] = value;
    }
  }
  return params;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // not a valid path
  }
}

/** The answer for an error. An error that is not a `Problem` is logged, and the caller sees only `internal`. */
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
