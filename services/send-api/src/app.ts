import { type Logger, problem } from '@posthorn/runtime';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { sendNothing } from './answer';
import { createCors } from './cors';
import type { Endpoint } from './endpoint';
import { isDecodable } from './is-decodable';
import type { SendApiMetrics } from './metrics';
import { countIn } from './pipeline-limit';
import { problemHandler } from './problem-handler';
import { beginRequest } from './request-context';

export interface AppOptions {
  /** The busiest first: routes are tried in order. */
  readonly endpoints: readonly Endpoint[];
  /** Serves the page of the reference and its files. */
  readonly referencePage: RequestHandler;
  readonly allowedOrigins: '*' | readonly string[];
  readonly metrics: SendApiMetrics;
  readonly log: Logger;
}

/** The public HTTP interface, not listening yet. Express only routes: parsing and answering are our own. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('query parser');
  app.enable('case sensitive routing');
  app.enable('strict routing');

  app.use(begin(options));
  for (const [path, endpoints] of groupByPath(options.endpoints)) {
    const allow = allowedMethods(endpoints);
    const route = app.route(path);
    for (const { method, handle } of endpoints) route[method](handle);
    route.all((req, res) => {
      if (req.method === 'OPTIONS') sendNothing(res, { Allow: allow });
      else throw problem('method_not_allowed', { headers: { Allow: allow } });
    });
  }
  app.use('/docs', options.referencePage);
  app.use((req) => {
    throw isDecodable(req.path) ? problem('not_found') : problem('malformed_request');
  });
  app.use(problemHandler);
  return app;
}

/** What every request goes through: its id, its count, and what is wrong with its headers. */
function begin({ log, metrics, allowedOrigins }: AppOptions): RequestHandler {
  const applyCors = createCors(allowedOrigins);
  return (req, res, next) => {
    const context = beginRequest(req, log);
    res.setHeader('X-Request-Id', context.id);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.once('finish', () => {
      metrics.requests.inc({ method: methodOf(req), route: routeOf(req), status: res.statusCode });
    });
    countIn(req, res);
    if (context.fault !== null) throw context.fault;
    if (applyCors?.(req, res) !== true) next();
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);

function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : 'other';
}

function routeOf(req: Request): string {
  const route: unknown = req.route;
  const isRoute = typeof route === 'object' && route !== null && 'path' in route;
  return isRoute && typeof route.path === 'string' ? route.path : 'none';
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
