import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Logger, type Problem, problem } from '@posthorn/runtime';
import express, { type RequestHandler, Router } from 'express';
import type { SendApiMetrics } from '../metrics';
import { sendNothing } from './answer';
import { answerFault } from './answer-fault';
import { createCors } from './cors';
import type { Endpoint } from './endpoint';
import { isDecodable } from './is-decodable';
import { countIn } from './pipeline-limit';
import { beginRequest } from './request-context';

export interface AppOptions {
  /** The busiest come first, because routes are tried in order. */
  readonly endpoints: readonly Endpoint[];
  /** Serves `/docs`, the page of the reference, and its files. */
  readonly referencePage: RequestHandler;
  readonly allowedOrigins: '*' | readonly string[];
  readonly metrics: SendApiMetrics;
  readonly log: Logger;
}

/**
 * The public HTTP interface, not listening yet. Express only routes; parsing and answering are our own code. An
 * Express application would wrap each request and response, which costs more than the routing. So only the pages of
 * the reference use one.
 */
export function createApp(options: AppOptions): RequestListener {
  const begin = createBegin(options);
  const router = createRouter(options);
  return (req, res) => {
    const fail = (error: unknown): void => answerFault(error, req, res);
    try {
      if (!begin(req, res)) return;
    } catch (error) {
      return fail(error);
    }
    Reflect.apply(router, null, [req, res, (error?: unknown) => fail(error ?? noRoute(req))]);
  };
}

/** The Express router with every endpoint and the pages of the reference. */
export function createRouter({ endpoints, referencePage }: AppOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const [path, group] of groupByPath(endpoints)) {
    const allow = allowedMethods(group);
    const route = router.route(path);
    for (const { method, handle } of group) route[method](handle);
    route.all((req, res) => {
      if (req.method === 'OPTIONS') sendNothing(res, { Allow: allow });
      else throw problem('method_not_allowed', { headers: { Allow: allow } });
    });
  }
  const pages = express();
  pages.disable('x-powered-by');
  pages.disable('etag');
  pages.disable('query parser');
  pages.use(referencePage);
  return router.use('/docs', pages);
}

function noRoute({ url = '/' }: IncomingMessage): Problem {
  return isDecodable(url.split('?', 1)[0] ?? '') ? problem('not_found') : problem('malformed_request');
}

/**
 * The first step of every request: its id, the pipeline limit, the check of its headers, CORS. Returns false if it has
 * answered the request.
 */
function createBegin({
  log,
  metrics,
  allowedOrigins,
}: AppOptions): (req: IncomingMessage, res: ServerResponse) => boolean {
  const applyCors = createCors(allowedOrigins);
  return (req, res) => {
    const context = beginRequest(req, log);
    res.setHeader('X-Request-Id', context.id);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.once('finish', () => {
      metrics.requests.inc({ method: methodOf(req), route: routeOf(req), status: res.statusCode });
    });
    countIn(req, res);
    if (context.fault !== null) throw context.fault;
    return applyCors?.(req, res) !== true;
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);

function methodOf({ method = '' }: IncomingMessage): string {
  return METHODS.has(method) ? method : 'other';
}

/** The route that the router stored in the request; `none` without one. */
function routeOf({ route }: IncomingMessage & { route?: { readonly path: unknown } }): string {
  return typeof route?.path === 'string' ? route.path : 'none';
}

function groupByPath(endpoints: readonly Endpoint[]): Map<string, Endpoint[]> {
  const paths = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    paths.set(endpoint.path, [...(paths.get(endpoint.path) ?? []), endpoint]);
  }
  return paths;
}

function allowedMethods(endpoints: readonly Endpoint[]): string {
  const methods = endpoints.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : ['POST']));
  return [...methods, 'OPTIONS'].join(', ');
}
