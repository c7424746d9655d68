import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateDatabase, type PostgresServer, startPostgres } from '@posthorn/stack';
import { eventually, FaultProxy, openTestRedis } from '@posthorn/testing';
import {
  bearer,
  bootApi,
  expectProblem,
  openStores,
  type TestApi,
  type TestStores,
} from '../../test/api-fixture';

const send = { to: ['bob'], text: 'x' };

describe('with a Postgres that is stopped and started again', () => {
  let dir: string;
  let postgres: PostgresServer;
  let api: TestApi;
  const redis = openTestRedis();

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'posthorn-503-'));
    postgres = await startPostgres({ dir, settings: { fsync: 'off' } });
    await migrateDatabase(postgres.url);
    const nothing = async (): Promise<void> => undefined;
    const database = { url: postgres.url, query: async () => [], hold: async () => nothing, drop: nothing };
    api = await bootApi({ database, redis, drop: async () => undefined });
  });

  afterAll(async () => {
    await api.stop();
    await postgres.stop('immediate');
    await redis.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test('§4.8: every endpoint answers 503 with Retry-After within 2 s, and is well again with Postgres', async () => {
    expect((await api.send('alice', send)).status).toBe(201);
    await postgres.stop('immediate');

    const requests = [
      () => api.send('alice', send, { 'Idempotency-Key': 'outage' }),
      () => api.get('alice', '/v1/inbox'),
      () => api.get('alice', '/v1/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11'),
      () => api.get('alice', '/v1/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11/receipts'),
      () => api.post('alice', '/v1/receipts', { read: ['019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11'] }),
      () => api.get('alice', '/v1/presence?users=bob'),
    ];
    for (const request of requests) {
      const from = performance.now();
      const response = await request();
      expectProblem(response, 503, 'unavailable');
      expect(response.headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
      expect(performance.now() - from).toBeLessThan(2_000);
    }
    expect((await api.readiness()).ready).toBe(false);
    expect((await api.readiness()).missing).toHaveProperty('postgres');

    postgres = await startPostgres({ dir, port: postgres.port, settings: { fsync: 'off' } });
    const from = performance.now();
    await eventually('a 201', async () => (await api.send('alice', send)).status === 201);
    expect(performance.now() - from).toBeLessThan(5_000);
    expect((await api.send('alice', send, { 'Idempotency-Key': 'outage' })).status).toBe(201);
    expect((await api.readiness()).ready).toBe(true);
  });

  test('§4.8: refusals that need no Postgres stay what they are', async () => {
    await postgres.stop('immediate');
    expectProblem(await api.send('alice', {}), 422, 'invalid_message');
    expectProblem(await api.send('alice', 'no'), 400, 'invalid_json');
    expectProblem(await api.http().get('/v1/inbox'), 401, 'unauthorized');
    expectProblem(await api.get('alice', '/v1/messages/nope'), 404, 'not_found');
  });
});

describe('with a Postgres whose answers get lost', () => {
  let stores: TestStores;
  let proxy: FaultProxy;
  let api: TestApi;

  beforeAll(async () => {
    stores = await openStores();
    proxy = await FaultProxy.open(stores.database.url);
    api = await bootApi(stores, { DATABASE_URL: proxy.through(stores.database.url) });
  });

  afterAll(async () => {
    await api.stop();
    await proxy.close();
    await stores.drop();
  });

  test('§4.8: a send whose outcome is unknown gets 503 within 2 s, and the same key settles it', async () => {
    expect((await api.send('alice', send)).status).toBe(201);
    proxy.mode = 'drop-replies';
    const from = performance.now();
    const unknown = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        api.send('alice', { to: ['bob'], text: `u${index}` }, { 'Idempotency-Key': `u${index}` }),
      ),
    );
    expect(performance.now() - from).toBeLessThan(2_500);
    for (const response of unknown) expectProblem(response, 503, 'unavailable');

    proxy.mode = 'reset';
    proxy.mode = 'pass';
    await eventually('Postgres is back', async () => (await api.send('alice', send)).status === 201);
    for (let index = 0; index < 30; index++) {
      const settled = await api.send(
        'alice',
        { to: ['bob'], text: `u${index}` },
        { 'Idempotency-Key': `u${index}` },
      );
      expect([200, 201]).toContain(settled.status);
    }
    const rows = await stores.database.query(`SELECT text FROM message WHERE text LIKE 'u%'`);
    expect(rows).toHaveLength(30);
  });

  test('§4.8: while Postgres hangs, a hundred sends are all answered within 2 s of their coming', async () => {
    proxy.mode = 'blackhole';
    const token = await bearer('alice');
    const durations = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const from = performance.now();
        const response = await fetch(`http://127.0.0.1:${api.port}/v1/messages`, {
          method: 'POST',
          headers: { Authorization: token, 'Content-Type': 'application/json' },
          body: JSON.stringify(send),
        });
        expect(response.status).toBe(503);
        return performance.now() - from;
      }),
    );
    expect(Math.max(...durations)).toBeLessThan(2_500);
    proxy.mode = 'reset';
    proxy.mode = 'pass';
    await eventually('Postgres is back', async () => (await api.send('alice', send)).status === 201);
  });
});

describe('with a schema that is behind', () => {
  test('§2.5: the service starts, is unready and says why, and answers 503', async () => {
    const stores = await openStores();
    await stores.database.query('DROP SCHEMA public CASCADE');
    await stores.database.query('CREATE SCHEMA public');
    const api = await bootApi(stores, {}, { untilReady: false });
    const { ready, missing } = await api.readiness();
    expect(ready).toBe(false);
    expect(missing['schema']).toMatch(/pnpm migrate/);
    expectProblem(await api.send('alice', send), 503, 'unavailable');
    await api.stop();
    await stores.drop();
  });
});
