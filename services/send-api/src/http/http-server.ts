import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Logger, type Problem, problem, problemOfParserError, problemResponse } from '@posthorn/runtime';
import { sendProblem } from './answer';
import { beginRequest, requestIdOf } from './request-context';
import { originForm } from './request-target';

export interface HttpServerOptions {
  readonly app: RequestListener;
  /** 0 takes any free port. */
  readonly port: number;
  readonly log: Logger;
  /** Measured by Node, not by `now`. */
  readonly headersTimeoutMs?: number;
  /** A monotonic clock in ms, for the time limit of bodies. */
  readonly now?: () => number;
}

/** PROTOCOL §4.2: the headers must be complete within 10 s, then the body within 15 s. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const BODY_TIMEOUT_MS = 15_000;
const BODY_CHECK_MS = 250;
/** Longer than balancers keep idle connections (usually 60 s). So this side never closes while a request arrives. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long the rest of a refused request is read and dropped, so that the client sees the answer and not a reset. */
const LINGER_MS = 1_000;

interface Exchange {
  readonly sinceMs: number;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Node's HTTP server around the app: time limits, answers to requests that cannot be parsed, graceful stop. */
export class HttpServer {
  readonly #server: Server;
  readonly #log: Logger;
  readonly #now: () => number;
  /** Every open connection, with its newest exchange. */
  readonly #connections = new Map<Duplex, Exchange | null>();
  readonly #refused = new WeakSet<Duplex>();
  #isStopping = false;
  #onEmpty: () => void = () => undefined;
  readonly #bodyTimer: NodeJS.Timeout;

  private constructor(options: HttpServerOptions) {
    const { app, log, headersTimeoutMs = HEADERS_TIMEOUT_MS, now = () => performance.now() } = options;
    this.#log = log;
    this.#now = now;
    this.#server = createServer({
      headersTimeout: headersTimeoutMs,
      // Off, because Node counts from the first byte of the headers. `#limitBodies` counts for the body alone.
      requestTimeout: 0,
      connectionsCheckingInterval: headersTimeoutMs / 10,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The app refuses a missing Host itself, with a problem.
      requireHostHeader: false,
    });
    // Node would silently drop headers over this count. Their size is limited anyway.
    this.#server.maxHeadersCount = 0;
    // A client that closes its side after the request still gets its answer.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    const handle = (req: IncomingMessage, res: ServerResponse): void => {
      this.#begin({ sinceMs: now(), req, res });
      const target = originForm(req.url ?? '/');
      if (target === null) {
        refuseTarget(req, res, log);
        return;
      }
      req.url = target;
      app(req, res);
    };
    // One timer for all requests. It must not keep the process alive.
    this.#bodyTimer = setInterval(() => this.#limitBodies(), BODY_CHECK_MS).unref();
    this.#server.on('connection', (socket) => this.#watch(socket));
    this.#server.on('request', handle);
    // `readJsonObject` sends `100 Continue`, so a request that is refused earlier never sends its body.
    this.#server.on('checkContinue', handle);
    this.#server.on('checkExpectation', handle);
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
    this.#server.on('connect', (_req, socket) => {
      // Node removes its own listener. Without one, a reset while this waits for its turn would end the process.
      socket.on('error', () => socket.destroy());
      this.#refuseWith(noTunnel(), socket);
    });
  }

  /** Resolves when the server listens. Rejects with Node's error (`EADDRINUSE`, `EACCES`) if it cannot. */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const http = new HttpServer(options);
    http.#server.listen(options.port);
    await once(http.#server, 'listening');
    http.#server.on('error', (error) => options.log.error('http server failed', { error }));
    return http;
  }

  /** The port it listens on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /**
   * Stops within `drainMs` (PROTOCOL §2.5). For the first half everything is served, with `Connection: close`. So
   * balancers can notice that the service is not ready, before the port closes. Then no new request is accepted, and
   * requests that are under way get the second half.
   */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    for (const exchange of this.#connections.values()) {
      if (exchange !== null && !exchange.res.headersSent) exchange.res.setHeader('Connection', 'close');
    }
    await new Promise((resolve) => setTimeout(resolve, drainMs / 2));
    this.#server.close();
    for (const [socket, exchange] of this.#connections) {
      if (exchange === null || exchange.res.writableFinished) socket.destroy();
    }
    await this.#whenEmpty(drainMs / 2);
    if (this.#connections.size > 0) {
      this.#log.warn('connections cut at the end of the drain', { connections: this.#connections.size });
      for (const socket of this.#connections.keys()) socket.destroy();
    }
    clearInterval(this.#bodyTimer);
  }

  #watch(socket: Socket): void {
    this.#connections.set(socket, null);
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#onEmpty();
    });
  }

  #begin(exchange: Exchange): void {
    this.#connections.set(exchange.req.socket, exchange);
    if (this.#isStopping) exchange.res.setHeader('Connection', 'close');
  }

  /** Refuses requests whose body is late. Only the newest request of a connection can be incomplete. */
  #limitBodies(): void {
    const latestMs = this.#now() - BODY_TIMEOUT_MS;
    for (const exchange of this.#connections.values()) {
      if (exchange === null || exchange.sinceMs > latestMs || exchange.req.complete) continue;
      sendProblem(exchange.req, exchange.res, problem('request_timeout'));
    }
  }

  /** Resolves when no connection is open, or after `waitMs`. */
  async #whenEmpty(waitMs: number): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Refuses a request that the parser could not read, or that did not arrive in time. */
  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const answer = problemOfParserError(error);
    this.#log.debug('unreadable request', { code: answer.code, reason: error.code });
    this.#refuseWith(answer, socket);
  }

  /** Answers a request that has no response object, after the answers that are still under way. */
  #refuseWith(answer: Problem, socket: Duplex): void {
    const exchange = this.#connections.get(socket) ?? null;
    if (exchange === null || exchange.res.writableFinished) {
      refuseRaw(socket, answer);
    } else if (!exchange.req.complete) {
      // The fault is in the body of the current request, which has a response object.
      sendProblem(exchange.req, exchange.res, answer);
    } else {
      // The fault is in the next request. Its answer must come after that of the current request.
      exchange.res.once('close', () => refuseRaw(socket, answer));
    }
  }
}

/** Refuses a target without a path here, because the app would find no route for it and never answer. */
function refuseTarget(req: IncomingMessage, res: ServerResponse, log: Logger): void {
  res.setHeader('X-Request-Id', beginRequest(req, log).id);
  sendProblem(
    req,
    res,
    problem('malformed_request', { detail: 'The request target must be a path or a URL.' }),
  );
}

/** Answers on the bare socket, because there is no response object, and closes it. */
function refuseRaw(socket: Duplex, answer: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.on('error', () => undefined); // the client is gone and needs no answer
  socket.end(problemResponse(answer, requestIdOf(undefined)));
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function noTunnel(): Problem {
  return problem('method_not_allowed', { headers: { Allow: 'GET, HEAD, POST, OPTIONS' } });
}
