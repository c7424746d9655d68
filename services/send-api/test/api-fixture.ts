import {
  type AdminResponse,
  type AdminRoute,
  type Environment,
  loadSendApiSettings,
  type Readiness,
} from '@posthorn/runtime';
import { mintToken } from '@posthorn/stack';
import {
  createServiceContext,
  createTestDatabase,
  eventually,
  openTestRedis,
  TEST_SECRET,
  type TestDatabase,
  type TestRedis,
} from '@posthorn/testing';
import type { Registry } from 'prom-client';
import request from 'supertest';
import { createSendApi } from '../src/send-api';
import { LONG_MS, PATIENT } from './patient-waits';

/** A send-api inside the test's own process, on a free port. */
export interface TestApi {
  readonly port: number;
  readonly metrics: Registry;
  /** Log lines so far, parsed. */
  readonly lines: Record<string, unknown>[];
  readonly readiness: () => Promise<Readiness>;
  /** Calls a route of the admin port. */
  admin(method: AdminRoute['method'], path: string, body?: unknown): Promise<AdminResponse>;
  /** A request without a token. */
  http(): ReturnType<typeof request>;
  get(user: string, path: string): Promise<request.Response>;
  post(
    user: string,
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<request.Response>;
  /** Sends a message: `POST /v1/messages`. */
  send(user: string, body: unknown, headers?: Record<string, string>): Promise<request.Response>;
  stop(): Promise<void>;
}

/** The stores of one test file. */
export interface TestStores {
  readonly database: TestDatabase;
  readonly redis: TestRedis;
  drop(): Promise<void>;
}

/** A migrated database and a Redis prefix of the file's own. */
export async function openStores(): Promise<TestStores> {
  const database = await createTestDatabase();
  const redis = openTestRedis();
  return {
    database,
    redis,
    drop: async () => {
      await redis.close();
      await database.drop();
    },
  };
}

/** Boots the service as its `main` does, with these settings besides, and waits for its stores unless told not to. */
export async function bootApi(
  stores: TestStores,
  env: Environment = {},
  { untilReady = true, waits = PATIENT } = {},
): Promise<TestApi> {
  const context = createServiceContext(
    'send-api',
    loadSendApiSettings({
      PORT: '0',
      ADMIN_PORT: '0',
      DATABASE_URL: stores.database.url,
      REDIS_URL: stores.redis.url,
      REDIS_PREFIX: stores.redis.prefix,
      AUTH_JWT_SECRET: TEST_SECRET,
      DRAIN_MS: '0',
      RATE_LIMIT_SENDS: '0',
      ...env,
    }),
  );
  const service = await createSendApi(context, waits);
  if (untilReady) {
    await eventually('the service is ready', async () => {
      expect(await service.readiness()).toEqual({ ready: true, missing: {}, degraded: {} });
      return true;
    });
  }
  const http = (): ReturnType<typeof request> => request(`http://127.0.0.1:${service.port}`);
  const post: TestApi['post'] = async (user, path, body, headers = {}) =>
    await http()
      .post(path)
      .set('Content-Type', 'application/json')
      .set('Authorization', await bearer(user))
      .set(headers)
      // Bytes go as they are; superagent would make JSON of a Buffer.
      .serialize((bytes) => bytes)
      .send(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  return {
    port: service.port,
    metrics: context.metrics,
    lines: context.lines,
    readiness: service.readiness,
    admin: async (method, path, body) => {
      const route = service.adminRoutes?.find((each) => each.method === method && each.path === path);
      if (route === undefined) throw new Error(`no admin route ${method} ${path}`);
      return await route.handle({ method, path, body });
    },
    http,
    get: async (user, path) =>
      await http()
        .get(path)
        .set('Authorization', await bearer(user)),
    post,
    send: (user, body, headers) => post(user, '/v1/messages', body, headers),
    stop: () => context.life.stop(LONG_MS),
  };
}

/** The `Authorization` header of a user; the scope after a space: `"robot send:as"`. */
export async function bearer(userAndScope: string): Promise<string> {
  const [user = '', scope] = userAndScope.split(' ');
  return `Bearer ${await mintToken({ user, secret: TEST_SECRET, ...(scope === undefined ? {} : { scope }) })}`;
}

/** What every problem must look like (PROTOCOL §4). */
export function expectProblem(response: request.Response, status: number, code: string): void {
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(response.body).toMatchObject({
    type: `urn:posthorn:error:${code}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
  });
}

/** The pointers of a validation problem, sorted. */
export function pointersOf(response: request.Response): string[] {
  const { errors } = response.body as { errors?: { pointer: string; detail: string }[] };
  return (errors ?? []).map(({ pointer }) => pointer).sort();
}
