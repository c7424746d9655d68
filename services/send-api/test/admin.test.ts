import { Keys, Lease, LiveGateways, Presence, RedisConnection } from '@posthorn/routing';
import { openRedisClient } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { bootApi, openStores, type TestApi, type TestStores } from './api-fixture';
import { PATIENT } from './patient-waits';

const silent = { info: () => undefined, warn: () => undefined };
let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

const about = () => ({
  host: 'here',
  pid: 1,
  startedAt: '2026-11-26T10:00:00.000Z',
  connections: 0,
  users: 0,
});

test('§2.4: disconnect reaches every gateway that holds the user', async () => {
  const redis = new RedisConnection(stores.redis.url, silent, PATIENT.redis);
  const keys = new Keys(stores.redis.prefix);
  const presence = new Presence(redis, keys, new LiveGateways(redis, keys));
  await eventually('Redis is there', () => redis.answers());
  await presence.hold('one', [{ user: 'alice', count: 1 }]);
  await presence.hold('two', [{ user: 'alice', count: 1 }]);

  const subscriber = openRedisClient(stores.redis.url);
  const heard: string[] = [];
  subscriber.on('message', (channel: string, text: string) => heard.push(`${channel} ${text}`));
  await subscriber.subscribe(keys.channel('one'), keys.channel('two'));
  // Last, since a lease lasts 10 s.
  for (const gateway of ['one', 'two']) await new Lease(redis, keys, gateway, about).renew();

  expect(await api.admin('POST', '/disconnect', { user: 'alice', device: 'phone' })).toEqual({ status: 202 });
  await eventually('both have heard', () => heard.length === 2);
  expect(heard.join()).toContain('phone');
  expect(await api.admin('POST', '/disconnect', { user: 'nobody' })).toEqual({ status: 202 });
  await subscriber.quit();
  redis.close();
});

test.each([
  ['no object', []],
  ['nothing', undefined],
  ['no user', {}],
  ['a bad user', { user: 'a b' }],
  ['a user that is no string', { user: 5 }],
  ['a bad device', { user: 'alice', device: 'd'.repeat(65) }],
  ['a device that is null', { user: 'alice', device: null }],
  ['an unknown field', { user: 'alice', everybody: true }],
])('§2.4: disconnect refuses a body that is not valid: %s', async (_name, body) => {
  await expect(api.admin('POST', '/disconnect', body)).rejects.toMatchObject({
    status: 422,
    code: 'invalid_message',
  });
});

test('§2.4: disconnect names an unknown field by its pointer', async () => {
  await expect(api.admin('POST', '/disconnect', { user: 'zed', 'x/y~z': 1 })).rejects.toMatchObject({
    errors: [{ pointer: '/x~1y~0z', detail: 'is not a known field' }],
  });
});

test('§2.4: the service is ready with both stores', async () => {
  await eventually('ready', async () => {
    expect(await api.readiness()).toEqual({ ready: true, missing: {}, degraded: {} });
    return true;
  });
});

test('metrics count sends by outcome, and requests by route and status', async () => {
  await api.send('counter', { to: ['bob', 'carol'], text: 'x' });
  await api.send('counter', {});
  await api.http().get('/v1/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11');
  await api.http().get(`/nowhere/${'x'.repeat(50)}`);
  const text = await api.metrics.metrics();
  expect(text).toContain('posthorn_sends_total{outcome="accepted"} 1');
  expect(text).toContain('posthorn_sends_total{outcome="invalid"} 1');
  expect(text).toContain('posthorn_message_recipients_sum 2');
  expect(text).toContain('posthorn_commit_seconds_count 1');
  expect(text).toContain('posthorn_routed_entries_total{result="listed"} 2');
  expect(text).toContain(
    'posthorn_http_requests_total{method="GET",route="/v1/messages/:id",status="401"} 1',
  );
  expect(text).toContain('posthorn_http_requests_total{method="GET",route="none",status="404"} 1');
  expect(text).toContain('posthorn_pending_sends 0');
});
