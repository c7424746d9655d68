import { eventually } from '@posthorn/testing';
import { leaseOf, openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
});

beforeEach(async () => {
  process = await routing.start();
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  await routing.close();
});

test('§6: presence is how many connections each live gateway holds', async () => {
  await Promise.all(['g1', 'g2'].map((gateway) => routing.lease(gateway)));
  expect(
    await process.presence.hold('g1', [
      { user: 'bob', count: 2 },
      { user: 'carol', count: 1 },
    ]),
  ).toEqual([new Map([['g1', 2]]), new Map([['g1', 1]])]);
  expect(await process.presence.hold('g2', [{ user: 'bob', count: 1 }])).toEqual([
    new Map([
      ['g1', 2],
      ['g2', 1],
    ]),
  ]);
  expect(await process.presence.findHolders(['carol', 'nobody', 'bob'])).toEqual([
    new Map([['g1', 1]]),
    new Map(),
    new Map([
      ['g1', 2],
      ['g2', 1],
    ]),
  ]);
  expect(await process.presence.hold('g1', [{ user: 'bob', count: 0 }])).toEqual([new Map([['g2', 1]])]);
});

test('§6: the hash lives 24 h', async () => {
  await process.presence.hold('g1', [{ user: 'dave', count: 1 }]);
  const ttl = await routing.client.ttl(routing.keys.presence('dave'));
  expect([ttl > 86_300, ttl <= 86_400]).toEqual([true, true]);
});

test('§6: a user is online exactly where a live gateway holds them', async () => {
  await routing.lease('alive');
  await process.presence.hold('alive', [
    { user: 'on', count: 1 },
    { user: 'left', count: 0 },
  ]);
  await process.presence.hold('killed', [
    { user: 'off', count: 1 },
    { user: 'on', count: 1 },
  ]);
  expect(await process.presence.findOnline(['on', 'off', 'left', 'never'])).toEqual(new Set(['on']));
});

test('§6: a kill -9 heals when the lease ends, a clean stop at once', async () => {
  const lease = leaseOf(process, routing.keys, 'g9');
  await lease.renew();
  await process.presence.hold('g9', [{ user: 'erin', count: 1 }]);
  expect(await process.presence.findOnline(['erin'])).toEqual(new Set(['erin']));
  await routing.client.pexpire(routing.keys.lease('g9'), 1);
  await eventually(
    'the lease is over',
    async () => (await routing.client.exists(routing.keys.lease('g9'))) === 0,
  );
  const later = Date.now() + 1_000;
  jest.spyOn(Date, 'now').mockImplementation(() => later);
  expect(await process.presence.findOnline(['erin'])).toEqual(new Set());
});

test('§6: a field that is no number, and a key of another kind, count as nobody; the next connect mends the key', async () => {
  await routing.lease('g1');
  await routing.client.hset(routing.keys.presence('frank'), 'g1', 'many');
  await routing.client.set(routing.keys.presence('grace'), 'text');
  expect(await process.presence.findOnline(['frank', 'grace'])).toEqual(new Set());
  expect(await process.presence.hold('g1', [{ user: 'grace', count: 1 }])).toEqual([new Map([['g1', 1]])]);
  expect(await process.presence.findHolders([])).toEqual([]);
});
