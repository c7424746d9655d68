import type { IncomingMessage, ServerResponse } from 'node:http';

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST',
  'Access-Control-Allow-Headers':
    'Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-Request-Id, traceparent, tracestate',
  'Access-Control-Max-Age': '7200',
} as const;

/** The headers of an answer that a page may read. */
const EXPOSED = [
  'Idempotency-Replayed',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

/** Sets the CORS headers of an answer. Returns true if it has answered a preflight. */
export type ApplyCors = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * CORS for exactly the given origins, or for all (PROTOCOL §4.9). Credentials are never allowed, because tokens travel
 * in a header and there are no cookies. Null if no origin is allowed.
 */
export function createCors(allowedOrigins: '*' | readonly string[]): ApplyCors | null {
  if (allowedOrigins.length === 0) return null;
  const origins = allowedOrigins === '*' ? null : new Set(allowedOrigins);
  return (req, res) => {
    const { origin } = req.headers;
    if (origins !== null) res.setHeader('Vary', 'Origin');
    if (origin === undefined || (origins !== null && !origins.has(origin))) return false;
    res.setHeader('Access-Control-Allow-Origin', origins === null ? '*' : origin);
    res.setHeader('Access-Control-Expose-Headers', EXPOSED);
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return false;
    res.writeHead(204, PREFLIGHT);
    res.end();
    return true;
  };
}
