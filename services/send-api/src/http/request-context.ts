import type { IncomingMessage } from 'node:http';
import { findHostFault, type Logger, type Problem, problem, requestIdFrom } from '@posthorn/runtime';

/** What one request is known by, from its headers alone. */
export class RequestContext {
  /** The caller's `X-Request-Id`, or one of ours. */
  readonly id: string;
  /** The `Authorization` header; undefined when there is none, or more than one: nobody can tell which is meant. */
  readonly authorization: string | undefined;
  /** Why the headers are refused, if they are. */
  readonly fault: Problem | null;
  readonly #log: Logger;
  #child: Logger | undefined;

  constructor(req: IncomingMessage, log: Logger) {
    const headers = readHeaders(req);
    this.id = requestIdFrom(headers.requestIds === 1 ? req.headers['x-request-id'] : undefined);
    this.authorization = headers.authorizations === 1 ? req.headers.authorization : undefined;
    this.fault = faultOf(req, headers);
    this.#log = log;
  }

  /** A logger that names the request. */
  get log(): Logger {
    this.#child ??= this.#log.child({ requestId: this.id });
    return this.#child;
  }
}

/** Node counts names and values only; with the separators this is what went over the wire. */
const MAX_HEADER_BYTES = 16 * 1024;
const SEPARATOR_BYTES = ': \r\n'.length;
const SPOKEN = new Set(['1.0', '1.1']);

interface HeaderFacts {
  bytes: number;
  hosts: number;
  authorizations: number;
  requestIds: number;
}

/** One walk over the raw headers: Node itself drops all but the first of several. */
function readHeaders({ rawHeaders }: IncomingMessage): HeaderFacts {
  const facts: HeaderFacts = { bytes: 0, hosts: 0, authorizations: 0, requestIds: 0 };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    facts.bytes += name.length + (rawHeaders[index + 1]?.length ?? 0) + SEPARATOR_BYTES;
    if (name.length === 4 && name.toLowerCase() === 'host') facts.hosts += 1;
    else if (name.length === 13 && name.toLowerCase() === 'authorization') facts.authorizations += 1;
    else if (name.length === 12 && name.toLowerCase() === 'x-request-id') facts.requestIds += 1;
  }
  return facts;
}

function faultOf(req: IncomingMessage, { bytes, hosts }: HeaderFacts): Problem | null {
  if (bytes > MAX_HEADER_BYTES) return problem('headers_too_large');
  // The parser lets HTTP/0.9 and HTTP/2.0 pass, neither of which it speaks.
  if (!SPOKEN.has(req.httpVersion)) {
    return problem('malformed_request', { detail: 'This version of HTTP is not spoken here.' });
  }
  // The parser reads it as no body at all; a proxy in front may have read it otherwise.
  if (req.headers['transfer-encoding'] === '') {
    return problem('malformed_request', {
      detail: 'The Transfer-Encoding is empty.',
      headers: { Connection: 'close' },
    });
  }
  const detail = findHostFault(req, hosts);
  return detail === null ? null : problem('malformed_request', { detail });
}

/** A property of the request: a WeakMap, with an entry for each request, costs the garbage collector more. */
const CONTEXT = Symbol('context');

declare module 'node:http' {
  interface IncomingMessage {
    [CONTEXT]?: RequestContext;
  }
}

/** Gives a request its context; the app does so before everything else. */
export function beginRequest(req: IncomingMessage, log: Logger): RequestContext {
  const context = new RequestContext(req, log);
  req[CONTEXT] = context;
  return context;
}

/** The context of a request that the app has begun. */
export function contextOf(req: IncomingMessage): RequestContext {
  const context = req[CONTEXT];
  if (context === undefined) throw new Error('the request was not begun');
  return context;
}

/** The id of a request, also when it failed before the app saw it. */
export function requestIdOf(req: IncomingMessage | undefined): string {
  return req?.[CONTEXT]?.id ?? requestIdFrom(undefined);
}
