import { createHash, timingSafeEqual } from 'node:crypto';
import { OutageError } from '@posthorn/inbox';
import { DEFAULT_DELIVERY_PAGE, isUserId, MAX_DELIVERY_PAGE, USER_ID_RULE } from '@posthorn/protocol';
import { type GatewayDirectory, MAX_INSPECTED, RedisOutageError } from '@posthorn/routing';
import {
  type AdminHandler,
  type AdminRequest,
  type AdminRoute,
  bearerFrom,
  problem,
} from '@posthorn/runtime';
import { type DeliverySources, reportDelivery } from './delivery-report';
import { pageRoutes } from './page';
import { reportUser } from './user-report';

/** Where the inspector reads its data. */
export interface InspectorSources extends DeliverySources {
  directory: GatewayDirectory;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DEFAULT_CONNECTIONS = 100;

/**
 * `/inspect` on the admin port of both services (PROTOCOL §2.4). It reads Postgres and Redis, so every process reports
 * the same cluster-wide view. Without a `token` it answers 404 `inspector_off`.
 */
export function inspectorRoutes(sources: InspectorSources, token: string | undefined): AdminRoute[] {
  const get = (path: string, handle: (request: AdminRequest) => Promise<unknown>): AdminRoute => ({
    method: 'GET',
    path,
    handle: guarded(token, async (request) => ({ status: 200, body: await told(() => handle(request)) })),
  });
  return [
    ...pageRoutes(),
    get('/inspect/gateways', async () => ({ items: await sources.directory.list() })),
    get('/inspect/gateways/:gateway/connections', (request) => connectionsOf(sources, request)),
    get('/inspect/users/:user', ({ params }) => {
      const user = params?.['user'];
      if (!isUserId(user)) throw problem('invalid_query', { detail: `The user must be ${USER_ID_RULE}.` });
      return reportUser(sources, user);
    }),
    get('/inspect/messages/:id/delivery', (request) => deliveryOf(sources, request)),
  ];
}

async function connectionsOf(
  { directory }: InspectorSources,
  { params, query }: AdminRequest,
): Promise<unknown> {
  const gateway = params?.['gateway'] ?? '';
  const page = await directory.askConnections(gateway, {
    after: integer(query, 'after', 0, 0, Number.MAX_SAFE_INTEGER),
    limit: integer(query, 'limit', DEFAULT_CONNECTIONS, 1, MAX_INSPECTED),
  });
  if (page === null) throw problem('not_found', { detail: `Gateway ${gateway} does not answer.` });
  return { gateway, ...page };
}

async function deliveryOf(sources: InspectorSources, { params, query }: AdminRequest): Promise<unknown> {
  const id = params?.['id'] ?? '';
  const report = UUID.test(id)
    ? await reportDelivery(sources, id, {
        sender: null,
        after: integer(query, 'after', 0, 0, Number.MAX_SAFE_INTEGER),
        limit: integer(query, 'limit', DEFAULT_DELIVERY_PAGE, 1, MAX_DELIVERY_PAGE),
      })
    : null;
  if (report === null) throw problem('not_found', { detail: 'There is no such message.' });
  return report;
}

/** Compares hashes of the tokens in constant time. The hashes have the same length, as the comparison requires. */
function guarded(token: string | undefined, handle: AdminHandler): AdminHandler {
  const wanted = token === undefined ? undefined : sha256(token);
  return async (request) => {
    if (wanted === undefined) throw problem('inspector_off');
    const given = bearerFrom(request.authorization);
    if (given === null || !timingSafeEqual(sha256(given), wanted))
      throw problem('unauthorized', { detail: 'Send ADMIN_TOKEN as a bearer token.' });
    return await handle(request);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof RedisOutageError)
      throw problem('unavailable', { detail: 'Redis is unreachable, and so are the gateways.', cause });
    if (cause instanceof OutageError)
      throw problem('unavailable', { detail: 'Postgres is unreachable.', cause });
    throw cause;
  }
}

function integer(
  query: AdminRequest['query'],
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const text = query?.[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value;
  throw problem('invalid_query', { detail: `${name} must be a whole number from ${min} to ${max}.` });
}
