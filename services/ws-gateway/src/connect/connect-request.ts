import type { IncomingMessage } from 'node:http';
import {
  BEARER_SUBPROTOCOL_PREFIX,
  DEFAULT_DEVICE,
  DEVICE_ID_RULE,
  isDeviceId,
  SUBPROTOCOL,
} from '@posthorn/protocol';
import { bearerFrom, findHostFault, problem } from '@posthorn/runtime';

const CONNECT_PATH = '/v1/connect';

/** The query of a connect, checked (PROTOCOL §5.1). */
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

/** Parses the path and the query of the request target. The origin is only a placeholder. */
function targetOf(request: IncomingMessage): URL {
  try {
    return new URL(`http://gateway${request.url ?? '/'}`);
  } catch {
    throw problem('malformed_request', { detail: 'The request target must be a path with a query.' });
  }
}

/**
 * Checks that the request opens a WebSocket (RFC 6455 §4.2.1) and offers `posthorn.v1` or no subprotocol.
 * @throws Problem 400, 404, 405, 426
 */
export function checkHandshake(request: IncomingMessage): void {
  // Node's parser lets other versions pass, and HTTP/1.0 has no upgrade.
  if (request.httpVersion !== '1.1') {
    throw problem('malformed_request', { detail: 'Only HTTP/1.1 is supported.' });
  }
  const detail = findHostFault(request, request.headersDistinct.host?.length ?? 0);
  if (detail !== null) throw problem('malformed_request', { detail });
  if (targetOf(request).pathname !== CONNECT_PATH) throw problem('not_found');
  if (request.method !== 'GET') throw problem('method_not_allowed', { headers: { Allow: 'GET' } });
  const { headers } = request;
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    throw problem('upgrade_required', {
      detail: 'This endpoint takes WebSocket upgrades only.',
      headers: { Upgrade: 'websocket' },
    });
  }
  if (headers['sec-websocket-version'] !== '13') {
    throw problem('upgrade_required', {
      detail: 'Sec-WebSocket-Version must be 13.',
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    });
  }
  if (!WEBSOCKET_KEY.test(headers['sec-websocket-key'] ?? '')) {
    throw problem('malformed_request', { detail: 'Sec-WebSocket-Key must be 16 bytes in base64.' });
  }
  const offered = offeredSubprotocols(request);
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    throw problem('malformed_request', { detail: `Sec-WebSocket-Protocol must contain ${SUBPROTOCOL}.` });
  }
}

/**
 * Returns the token from the `Authorization` header or, without that header, from the bearer subprotocol that
 * browsers offer. Null without exactly one token (PROTOCOL §3.3).
 */
export function tokenOf(request: IncomingMessage): string | null {
  const { authorization } = request.headersDistinct;
  if (authorization !== undefined) return bearerFrom(authorization);
  const bearers = offeredSubprotocols(request).filter((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  const [bearer] = bearers;
  return bearers.length === 1 && bearer !== undefined ? bearer.slice(BEARER_SUBPROTOCOL_PREFIX.length) : null;
}

/**
 * Reads and checks the query (PROTOCOL §5.1).
 * @throws Problem 400
 */
export function connectQuery(request: IncomingMessage): ConnectQuery {
  const { searchParams } = targetOf(request);
  for (const name of searchParams.keys()) {
    if (!QUERY_NAMES.includes(name))
      throw badQuery(`There is an unknown parameter. Known parameters: ${QUERY_NAMES.join(', ')}.`);
    if (searchParams.getAll(name).length > 1) throw badQuery(`${name} must be given only once.`);
  }
  const device = searchParams.get('device') ?? DEFAULT_DEVICE;
  if (!isDeviceId(device)) throw badQuery(`device must be ${DEVICE_ID_RULE}.`);
  const after = searchParams.get('after');
  if (after !== null && !(/^\d{1,16}$/.test(after) && Number.isSafeInteger(Number(after)))) {
    throw badQuery('after must be an integer, 0 or more.');
  }
  const epoch = searchParams.get('epoch');
  if (epoch !== null && (epoch === '' || epoch.length > MAX_EPOCH_CHARS)) {
    throw badQuery('epoch must be the epoch of an earlier welcome.');
  }
  const ack = searchParams.get('ack') ?? 'manual';
  if (ack !== 'manual' && ack !== 'auto') throw badQuery('ack must be manual or auto.');
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
      detail: 'Sec-WebSocket-Protocol must be a list of distinct tokens.',
    });
  }
  return offered;
}
