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
  /** By the clock of Node. */
  readonly headersTimeoutMs?: number;
  /** The time in ms since any moment, for the time of bodies. */
  readonly now?: () => number;
}

/** From PROTOCOL §4.2: the headers within 10 s, then the body within 15 s. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const BODY_TIMEOUT_MS = 15_000;
const BODY_CHECK_MS = 250;
/** Longer than balancers keep idle connections (60 s is usual), so that it is never us who closes under a request. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long what a refused client still sends is read away, so that it sees the answer and not a reset. */
const LINGER_MS = 1_000;

interface Exchange {
  readonly sinceMs: number;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Node's HTTP server around the app: time limits, what the parser refuses, and the graceful stop. */
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
      // Node's would count from the first byte of the headers: the body's time is our own.
      requestTimeout: 0,
      connectionsCheckingInterval: headersTimeoutMs / 10,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // A missing Host is refused by the app, as a problem like any other.
      requireHostHeader: false,
    });
    // Node would drop headers beyond a count without a word; their size is bounded already.
    this.#server.maxHeadersCount = 0;
    // A client may close its side once it has asked: it is answered all the same.
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
    // One timer for all requests. It must not keep a process that stops.
    this.#bodyTimer = setInterval(() => this.#limitBodies(), BODY_CHECK_MS).unref();
    this.#server.on('connection', (socket) => this.#watch(socket));
    this.#server.on('request', handle);
    // `100 Continue` is sent where the body is read: a request that is refused unread is never asked for it.
    this.#server.on('checkContinue', handle);
    this.#server.on('checkExpectation', handle);
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
    this.#server.on('connect', (_req, socket) => {
      // Node takes its own listener away: without one, a reset while it waits its turn would end the process.
      socket.on('error', () => socket.destroy());
      this.#refuseWith(noTunnel(), socket);
    });
  }

  /** Resolves once it listens. Rejects with Node's error (`EADDRINUSE`, `EACCES`) if it cannot. */
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
   * Stops within `drainMs`. For the first half of it everything is served, the connections that are kept alive
   * for the last time: balancers see the readiness first, and no request meets a closed port. Then nothing new is
   * taken, and what is in flight gets the second half.
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

  /** Refuses requests whose body is not complete in time. The newest of a connection is the only one that may not be. */
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

  /** What the parser could not read, or not in time. */
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

  /** Answers what has no response object of its own, in its turn. */
  #refuseWith(answer: Problem, socket: Duplex): void {
    const exchange = this.#connections.get(socket) ?? null;
    if (exchange === null || exchange.res.writableFinished) {
      refuseRaw(socket, answer);
    } else if (!exchange.req.complete) {
      // The body of the request in hand is at fault: it has a response to say so with.
      sendProblem(exchange.req, exchange.res, answer);
    } else {
      // The next request came too early: it gets its answer after the one in hand.
      exchange.res.once('close', () => refuseRaw(socket, answer));
    }
  }
}

/** A target that no path can be read from never comes to the app, where it would have no route and no answer. */
function refuseTarget(req: IncomingMessage, res: ServerResponse, log: Logger): void {
  res.setHeader('X-Request-Id', beginRequest(req, log).id);
  sendProblem(req, res, problem('malformed_request', { detail: 'The request target is not a URL.' }));
}

/** Writes an answer where there is no response object, and closes. */
function refuseRaw(socket: Duplex, answer: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.on('error', () => undefined); // the client went away: nobody is left to be told
  socket.end(problemResponse(answer, requestIdOf(undefined)));
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function noTunnel(): Problem {
  return problem('method_not_allowed', { headers: { Allow: 'GET, HEAD, POST, OPTIONS' } });
}
