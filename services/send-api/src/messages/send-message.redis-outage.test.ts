import { eventually, FaultProxy } from '@posthorn/testing';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';
import { PATIENT } from '../../test/patient-waits';
import { SEND_API_WAITS } from '../send-api-waits';

const RATE = 5;
const BURST = 20;
/** A send takes no more than its two waits: nothing else of it ends. */
const OF_A_SEND = { ...PATIENT.redis, limitMs: 100, routeMs: 100 };
const OF_A_COMMAND = { ...PATIENT.redis, commandMs: 500 };
let stores: TestStores;
let proxy: FaultProxy;
/** Its waits do not end within the test: what it answers it answers at once. */
let patient: TestApi;
let sending: TestApi;
let asking: TestApi;

beforeAll(async () => {
  stores = await openStores();
  proxy = await FaultProxy.open(stores.redis.url);
  const env = { REDIS_URL: proxy.through(stores.redis.url), RATE_LIMIT_SENDS: String(RATE) };
  patient = await bootApi(stores, env);
  sending = await bootApi(stores, env, { waits: { ...PATIENT, redis: OF_A_SEND } });
  asking = await bootApi(stores, env, { waits: { ...PATIENT, redis: OF_A_COMMAND } });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await heal();
});

afterAll(async () => {
  await Promise.all([patient, sending, asking].map((api) => api.stop()));
  await proxy.close();
  await stores.drop();
});

/** Passes again, with fresh connections: bytes that were lost on the old ones stay lost. */
async function heal(): Promise<void> {
  proxy.mode = 'reset';
  proxy.mode = 'pass';
  for (const api of [patient, sending, asking]) {
    await eventually('Redis is back', async () => {
      expect((await api.readiness()).degraded).toEqual({});
      return true;
    });
  }
}

async function expectSent(api: TestApi, name: string): Promise<void> {
  for (let index = 0; index < 6; index++) {
    expect((await api.send(`${name}-${index}`, { to: ['bob'], text: 'x' })).status).toBe(201);
  }
}

/** Only what needs Redis is refused. */
async function expectDegraded(api: TestApi): Promise<void> {
  const presence = await api.get('alice', '/v1/presence?users=bob');
  expectProblem(presence, 503, 'unavailable');
  expect(presence.headers['retry-after']).toMatch(/^[1-9]/);
  const { ready, degraded } = await api.readiness();
  expect(ready).toBe(true);
  expect(degraded).toHaveProperty('redis');
  const read = await api.post('bob', '/v1/receipts', { read: [(await inboxOfBob(api))[0]] });
  expect(read.status).toBe(204);
}

test('§4.8: while Redis refuses connections a send gets its 201 at once; presence gets 503', async () => {
  proxy.mode = 'reset';
  await expectSent(patient, 'refused');
  await expectDegraded(patient);
});

test('§4.8: while Redis hangs a send gets its 201 when its two waits are over; presence gets 503', async () => {
  proxy.mode = 'blackhole';
  await expectSent(sending, 'hung');
  await expectDegraded(asking);
});

test('§4.8: without Redis a send gets its 201 at most 500 ms later than else', () => {
  const { limitMs, routeMs } = SEND_API_WAITS.redis;
  expect(limitMs + routeMs).toBeLessThanOrEqual(500);
});

test('§4.3: without Redis each process limits by itself', async () => {
  proxy.mode = 'reset';
  // Nothing of the budget comes back while the clock stands still.
  jest.spyOn(Date, 'now').mockReturnValue(Date.now());
  const responses = await Promise.all(
    Array.from({ length: 2 * BURST }, () => patient.send('eager', { to: ['bob'], text: 'x' })),
  );
  expect(responses.filter(({ status }) => status === 201)).toHaveLength(BURST);
});

test('§2.4: disconnect gets 503 while Redis is out', async () => {
  proxy.mode = 'reset';
  await expect(patient.admin('POST', '/disconnect', { user: 'bob' })).rejects.toMatchObject({ status: 503 });
});

async function inboxOfBob(api: TestApi): Promise<string[]> {
  const { body } = await api.get('bob', '/v1/inbox');
  return body.items.map(({ message }: { message: { id: string } }) => message.id);
}
