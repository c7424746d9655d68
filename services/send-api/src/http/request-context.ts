import type { IncomingMessage } from 'node:http';
import { findHostFault, type Logger, type Problem, problem, requestIdFrom } from '@posthorn/runtime';

/** What the headers of a request say, before its body is read. */
export class RequestContext {
  /** The caller's `X-Request-Id` if it is valid and was sent once, otherwise a new id. */
  readonly id: string;
  /** The `Authorization` header; undefined without exactly one, because two are ambiguous (PROTOCOL §3.3). */
  readonly authorization: string | undefined;
  /** The problem with the headers, or null. */
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

  /** A logger that adds the request id to each line. */
  get log(): Logger {
    this.#child ??= this.#log.child({ requestId: this.id });
    return this.#child;
  }
}

/** Counts separators as well, as on the wire. Node's own limit counts only names and values. */
const MAX_HEADER_BYTES = 16 * 1024;
const SEPARATOR_BYTES = ': \r\n'.length;
const SPOKEN = new Set(['1.0', '1.1']);

interface HeaderFacts {
  bytes: number;
  hosts: number;
  authorizations: number;
  requestIds: number;
}

/** Counts in the raw headers, because `req.headers` keeps only the first of several equal names. */
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
  // Node's parser lets HTTP/0.9 and HTTP/2.0 pass, but cannot speak them.
  if (!SPOKEN.has(req.httpVersion)) {
    return problem('malformed_request', { detail: 'Only HTTP/1.0 and HTTP/1.1 are supported.' });
  }
  // Node's parser reads this as no body. A proxy in front may read it differently, which allows request smuggling.
  if (req.headers['transfer-encoding'] === '') {
    return problem('malformed_request', {
      detail: 'Transfer-Encoding must not be empty.',
      headers: { Connection: 'close' },
    });
  }
  const detail = findHostFault(req, hosts);
  return detail === null ? null : problem('malformed_request', { detail });
}

/** The context is a property of the request, because a WeakMap would cost the garbage collector more. */
const CONTEXT = Symbol('context');

declare module 'node:http' {
  interface IncomingMessage {
    [CONTEXT]?: RequestContext;
  }
}

/** Gives a request its context. The app calls this before everything else. */
export function beginRequest(req: IncomingMessage, log: Logger): RequestContext {
  const context = new RequestContext(req, log);
  req[CONTEXT] = context;
  return context;
}

/**
 * The context that `beginRequest` has set.
 * @throws Error before that
 */
export function contextOf(req: IncomingMessage): RequestContext {
  const context = req[CONTEXT];
  if (context === undefined) throw new Error('the request was not begun');
  return context;
}

/** The id of a request. It is a new id if the request failed before `beginRequest`. */
export function requestIdOf(req: IncomingMessage | undefined): string {
  return req?.[CONTEXT]?.id ?? requestIdFrom(undefined);
}
