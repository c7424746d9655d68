import { Keys, Lease, LiveGateways, Presence, RedisConnection } from '@posthorn/routing';
import { eventually } from '@posthorn/testing';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';
import { PATIENT } from '../../test/patient-waits';

const silent = { info: () => undefined, warn: () => undefined };
const GATEWAY = 'gateway-of-the-test';
let stores: TestStores;
let api: TestApi;
let redis: RedisConnection;
let presence: Presence;
let lease: Lease;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
  redis = new RedisConnection(stores.redis.url, silent, PATIENT.redis);
  const keys = new Keys(stores.redis.prefix);
  presence = new Presence(redis, keys, new LiveGateways(redis, keys));
  lease = new Lease(redis, keys, GATEWAY, () => ({
    host: 'here',
    pid: 1,
    startedAt: '2026-11-26T10:00:00.000Z',
    connections: 0,
    users: 0,
  }));
  await eventually('Redis is there', async () => {
    await lease.renew();
    return true;
  });
});

afterAll(async () => {
  await api.stop();
  redis.close();
  await stores.drop();
});

test('§4.6: a user is online exactly where a live gateway holds them', async () => {
  await presence.hold(GATEWAY, [{ user: 'alice', count: 2 }]);
  await presence.hold('gateway-without-a-lease', [{ user: 'ghost', count: 1 }]);
  await lease.renew(); // it lasts 10 s
  const response = await api.get('bob', '/v1/presence?users=ghost,alice,bob');
  expect(response.status).toBe(200);
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.body).toEqual({
    items: [
      { user: 'ghost', online: false, lastSeenAt: null },
      { user: 'alice', online: true, lastSeenAt: null },
      { user: 'bob', online: false, lastSeenAt: null },
    ],
  });
});

test('§4.6: lastSeenAt is when the last connection of any device ended', async () => {
  await stores.database.query(
    `INSERT INTO device (user_id, device, last_seen_at) VALUES
      ('seen', 'phone', '2026-01-02T03:04:05.678Z'), ('seen', 'laptop', '2026-01-01T00:00:00Z'), ('seen', 'new', NULL)`,
  );
  const response = await api.get('bob', '/v1/presence?users=seen');
  expect(response.body.items).toEqual([
    { user: 'seen', online: false, lastSeenAt: '2026-01-02T03:04:05.678Z' },
  ]);
});

test('§4.6: the answer is in the order asked, each user once', async () => {
  const response = await api.get('bob', '/v1/presence?users=c,a,c,b,a');
  expect(response.body.items.map(({ user }: { user: string }) => user)).toEqual(['c', 'a', 'b']);
});

test('§4.6: a hundred users are answered, commas may be escaped', async () => {
  const users = Array.from({ length: 100 }, (_, index) => `u${index}`);
  expect((await api.get('bob', `/v1/presence?users=${users.join(',')}`)).body.items).toHaveLength(100);
  expect((await api.get('bob', '/v1/presence?users=a%2Cb:c@d')).body.items).toHaveLength(2);
});

test.each([
  '',
  '?users=',
  '?users=a,',
  '?users=,a',
  '?users=a,,b',
  '?users=a%20b',
  '?users=a*',
  '?users=zo%C3%AB',
  '?users=a%00',
  `?users=${'a'.repeat(129)}`,
  '?users=a&users=b',
  '?users[]=a',
  '?user=a',
  '?users=a&x=1',
  `?users=${Array.from({ length: 101 }, (_, index) => `u${index}`).join(',')}`,
])('§4.6: a bad query is refused: %s', async (query) => {
  expectProblem(await api.get('bob', `/v1/presence${query}`), 400, 'invalid_query');
});
