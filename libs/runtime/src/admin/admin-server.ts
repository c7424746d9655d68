import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { findHostFault } from '../http/host-header';
import { readJsonBody } from '../http/read-json-body';
import { requestIdFrom } from '../http/request-id';
import type { Logger } from '../log/logger';
import { type Problem, problem, problemOfParserError, problemResponse } from '../problems/problem';
import { type AdminResponse, type AdminRoute, answerOfError, routeFor } from './admin-routes';

export interface AdminServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** All interfaces by default: probes and scrapers come from outside. */
  readonly host?: string;
  readonly routes: readonly AdminRoute[];
  readonly log: Logger;
}

const MAX_BODY_BYTES = 16_384;
const CLOSE_GRACE_MS = 500;

/** The HTTP server of the admin port. */
export class AdminServer {
  readonly #server: Server;
  readonly #log: Logger;
  /** The newest answer of each connection. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  #routes: readonly AdminRoute[];

  private constructor({ routes, log }: AdminServerOptions) {
    this.#routes = routes;
    this.#log = log;
    this.#server = createServer(
      {
        headersTimeout: 5000,
        requestTimeout: 10_000,
        keepAliveTimeout: 5000,
        connectionsCheckingInterval: 1000,
        // `findHostFault` refuses a missing Host, so that the caller gets a problem body.
        requireHostHeader: false,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on('checkExpectation', (request, response) => void this.#answer(request, response));
    this.#server.on('clientError', refuseUnreadable);
    this.#server.on('connect', (_request, socket) => this.#refuseTunnel(socket));
  }

  /** Resolves once the server listens. Rejects with Node's error (`EADDRINUSE`, `EACCES`) if it cannot. */
  static async listen(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options);
    admin.#server.listen({
      port: options.port,
      ...(options.host === undefined ? {} : { host: options.host }),
    });
    await once(admin.#server, 'listening');
    admin.#server.on('error', (error) => options.log.error('admin server failed', { error }));
    return admin;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Adds routes while the server runs. A route with the same method and path replaces the old one. */
  addRoutes(routes: readonly AdminRoute[]): void {
    const kept = this.#routes.filter(
      (old) => !routes.some((route) => route.method === old.method && route.path === old.path),
    );
    this.#routes = [...kept, ...routes];
  }

  /** Stops listening. Answers that are being written get half a second to finish. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#answers.set(request.socket, response);
    const requestId = requestIdFrom(request.headersDistinct['x-request-id']);
    const answer = await this.#handle(request).catch((error: unknown) =>
      answerOfError(error, this.#log, requestId),
    );
    // The unread rest of a body would be parsed as the next request, so the connection must close.
    const headers = { 'X-Request-Id': requestId, ...(request.complete ? {} : { Connection: 'close' }) };
    write(response, answer, headers);
  }

  /** Node gives CONNECT no response object. Earlier requests of the connection are answered first. */
  #refuseTunnel(socket: Duplex): void {
    // On CONNECT Node removes its own error listener. Without this one, a reset of the connection would end the
    // process.
    socket.on('error', () => socket.destroy());
    const refuse = (): void =>
      refuseRaw(socket, problem('method_not_allowed', { headers: { Allow: 'GET, HEAD' } }));
    const inHand = this.#answers.get(socket);
    if (inHand === undefined || inHand.writableFinished) refuse();
    else inHand.once('close', refuse);
  }

  async #handle(request: IncomingMessage): Promise<AdminResponse> {
    const detail = findHostFault(request, request.headersDistinct.host?.length ?? 0);
    if (detail !== null) throw problem('malformed_request', { detail });
    const method = request.method ?? 'GET';
    const target = request.url ?? '/';
    const [path = '/'] = target.split('?', 1);
    const query = Object.fromEntries(new URLSearchParams(target.slice(path.length)));
    // Find the route first: a body that no route wants is not read.
    const { route, params } = routeFor(this.#routes, method, path);
    const body = route.method === 'GET' ? undefined : await readJsonBody(request, MAX_BODY_BYTES);
    const { authorization } = request.headers;
    return await route.handle({
      method,
      path,
      params,
      query,
      ...(authorization === undefined ? {} : { authorization }),
      body,
    });
  }
}

function write(response: ServerResponse, answer: AdminResponse, headers: Record<string, string>): void {
  const { status, body, contentType } = answer;
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    ...(body === undefined
      ? {}
      : { 'Content-Type': contentType ?? (isText ? 'text/plain; charset=utf-8' : 'application/json') }),
    ...answer.headers,
    ...headers,
  });
  response.end(body === undefined || isText ? body : JSON.stringify(body));
}

function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  else refuseRaw(socket, problemOfParserError(error));
}

function refuseRaw(socket: Duplex, answer: Problem): void {
  const cut = (): unknown => socket.destroy();
  socket.on('error', cut);
  if (socket.writable) socket.end(problemResponse(answer, requestIdFrom(undefined)), cut);
  else cut();
}
