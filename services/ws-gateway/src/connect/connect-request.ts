import type { IncomingMessage } from 'node:http';
import {
  BEARER_SUBPROTOCOL_PREFIX,
  DEFAULT_DEVICE,
  DEVICE_ID_RULE,
  isDeviceId,
  SUBPROTOCOL,
} from '@posthorn/protocol';
import { bearerFrom, findHostFault, problem } from '@posthorn/runtime';

/** Where clients connect. */
const CONNECT_PATH = '/v1/connect';

/** The query of a connect, checked. */
export interface ConnectQuery {
  device: string;
  after: number | null;
  epoch: string | null;
  isAutoAck: boolean;
}

const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN_CHARS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const QUERY_NAMES = ['device', 'after', 'epoch', 'ack'];
const MAX_EPOCH_CHARS = 64;

/** The path and query of a request target; its origin is of no concern. */
function targetOf(request: IncomingMessage): URL {
  try {
    return new URL(`http://gateway${request.url ?? '/'}`);
  } catch {
    throw problem('malformed_request', { detail: 'the request target is not a path with a query' });
  }
}

/**
 * Checks that the request is the opening of a WebSocket (RFC 6455 §4.2.1) that offers our subprotocol, or none.
 * @throws Problem 400, 404, 405, 426
 */
export function checkHandshake(request: IncomingMessage): void {
  // The parser lets versions pass that it does not speak, and HTTP/1.0 knows no upgrade.
  if (request.httpVersion !== '1.1') {
    throw problem('malformed_request', { detail: 'HTTP/1.1 is spoken here' });
  }
  const detail = findHostFault(request, request.headersDistinct.host?.length ?? 0);
  if (detail !== null) throw problem('malformed_request', { detail });
  if (targetOf(request).pathname !== CONNECT_PATH) throw problem('not_found');
  if (request.method !== 'GET') throw problem('method_not_allowed', { headers: { Allow: 'GET' } });
  const { headers } = request;
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    throw problem('upgrade_required', {
      detail: 'this is a WebSocket endpoint',
      headers: { Upgrade: 'websocket' },
    });
  }
  if (headers['sec-websocket-version'] !== '13') {
    throw problem('upgrade_required', {
      detail: 'Sec-WebSocket-Version must be 13',
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    });
  }
  if (!WEBSOCKET_KEY.test(headers['sec-websocket-key'] ?? '')) {
    throw problem('malformed_request', { detail: 'Sec-WebSocket-Key must be 16 bytes in base64' });
  }
  const offered = offeredSubprotocols(request);
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    throw problem('malformed_request', { detail: `the only subprotocol here is ${SUBPROTOCOL}` });
  }
}

/** The token: from the Authorization header or, for browsers, from the second subprotocol; null without one. */
export function tokenOf(request: IncomingMessage): string | null {
  const { authorization } = request.headersDistinct;
  if (authorization !== undefined) return bearerFrom(authorization);
  const bearers = offeredSubprotocols(request).filter((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  const [bearer] = bearers;
  return bearers.length === 1 && bearer !== undefined ? bearer.slice(BEARER_SUBPROTOCOL_PREFIX.length) : null;
}

/**
 * Reads the query.
 * @throws Problem 400
 */
export function connectQuery(request: IncomingMessage): ConnectQuery {
  const { searchParams } = targetOf(request);
  for (const name of searchParams.keys()) {
    if (!QUERY_NAMES.includes(name))
      throw badQuery(`there is no such parameter; known are ${QUERY_NAMES.join(', ')}`);
    if (searchParams.getAll(name).length > 1) throw badQuery(`${name} is given twice`);
  }
  const device = searchParams.get('device') ?? DEFAULT_DEVICE;
  if (!isDeviceId(device)) throw badQuery(`device must be ${DEVICE_ID_RULE}`);
  const after = searchParams.get('after');
  if (after !== null && !(/^\d{1,16}$/.test(after) && Number.isSafeInteger(Number(after)))) {
    throw badQuery('after must be an integer, 0 or more');
  }
  const epoch = searchParams.get('epoch');
  if (epoch !== null && (epoch === '' || epoch.length > MAX_EPOCH_CHARS)) {
    throw badQuery('epoch must be the one of an earlier welcome');
  }
  const ack = searchParams.get('ack') ?? 'manual';
  if (ack !== 'manual' && ack !== 'auto') throw badQuery('ack must be manual or auto');
  return { device, after: after === null ? null : Number(after), epoch, isAutoAck: ack === 'auto' };
}

function badQuery(detail: string): Error {
  return problem('invalid_query', { detail });
}

function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'];
  if (header === undefined) return [];
  const offered = header.split(',').map((name) => name.trim());
  if (!offered.every((name) => TOKEN_CHARS.test(name)) || new Set(offered).size !== offered.length) {
    throw problem('malformed_request', {
      detail: 'Sec-WebSocket-Protocol must be a list of distinct tokens',
    });
  }
  return offered;
}
