import { eventually, FaultProxy } from '@posthorn/testing';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

let stores: TestStores;
let proxy: FaultProxy;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  proxy = await FaultProxy.open(stores.redis.url);
  api = await bootApi(stores, { REDIS_URL: proxy.through(stores.redis.url), RATE_LIMIT_SENDS: '5' });
});

afterAll(async () => {
  await api.stop();
  await proxy.close();
  await stores.drop();
});

/** Passes again, with fresh connections: bytes that were lost on the old ones stay lost. */
async function heal(): Promise<void> {
  proxy.mode = 'reset';
  proxy.mode = 'pass';
  await eventually(
    'Redis is back',
    async () => (await api.get('alice', '/v1/presence?users=bob')).status === 200,
  );
}

test.each(['reset', 'blackhole'] as const)(
  '§4.8: while Redis is out (%s) a send gets its 201, at most 500 ms later than else; presence gets 503',
  async (mode) => {
    await heal();
    proxy.mode = mode;
    const durations: number[] = [];
    for (let index = 0; index < 10; index++) {
      const from = performance.now();
      expect((await api.send(`out-${index}`, { to: ['bob'], text: 'x' })).status).toBe(201);
      durations.push(performance.now() - from);
    }
    expect(Math.max(...durations)).toBeLessThan(600);
    const presence = await api.get('alice', '/v1/presence?users=bob');
    expectProblem(presence, 503, 'unavailable');
    expect(presence.headers['retry-after']).toMatch(/^[1-9]/);
    const { ready, degraded } = await api.readiness();
    expect(ready).toBe(true);
    expect(degraded).toHaveProperty('redis');
    const read = await api.post('bob', '/v1/receipts', { read: [(await inboxOfBob())[0]] });
    expect(read.status).toBe(204);
    await heal();
    expect((await api.readiness()).degraded).toEqual({});
  },
);

test('§4.3: without Redis each process limits by itself', async () => {
  await heal();
  proxy.mode = 'reset';
  const responses = await Promise.all(
    Array.from({ length: 40 }, () => api.send('eager', { to: ['bob'], text: 'x' })),
  );
  const allowed = responses.filter(({ status }) => status === 201).length;
  expect(allowed).toBeGreaterThanOrEqual(20);
  expect(allowed).toBeLessThan(40);
  await heal();
});

test('§2.4: disconnect gets 503 while Redis is out', async () => {
  await heal();
  proxy.mode = 'reset';
  await expect(api.admin('POST', '/disconnect', { user: 'bob' })).rejects.toMatchObject({ status: 503 });
  await heal();
});

async function inboxOfBob(): Promise<string[]> {
  const { body } = await api.get('bob', '/v1/inbox');
  return body.items.map(({ message }: { message: { id: string } }) => message.id);
}
