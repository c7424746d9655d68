import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@posthorn/stack';
import { eventually, FaultProxy, HANG_MS, openTestRedis } from '@posthorn/testing';
import {
  countTo,
  leaseOf,
  openTestRouting,
  PATIENT,
  routable,
  type TestProcess,
  type TestRouting,
} from '../../test/routing-fixture';
import { LIVENESS_MAX_AGE_MS, REDIS_WAITS } from '../times';

let routing: TestRouting;
let proxy: FaultProxy;

beforeEach(async () => {
  routing = openTestRouting();
  proxy = await FaultProxy.open(routing.url);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await routing.close();
  await proxy.close();
});

/** Nothing but the wait of a route ends it, where no answer comes. */
const ROUTE_ALONE = { ...PATIENT, routeMs: 100 };

async function startThroughProxy(waits = PATIENT): Promise<TestProcess> {
  return await routing.start({ url: proxy.through(routing.url), waits });
}

const users = (name: string): Record<string, number> =>
  Object.fromEntries(countTo(20).map((index) => [`${name}-${index}`, 1]));

test.each(['blackhole', 'drop-replies', 'reset'] as const)(
  '§4: Redis out of reach (%s): routing ends, counts what it does not know, and works again afterwards',
  async (mode) => {
    const process = await startThroughProxy(ROUTE_ALONE);
    await eventually('it routes', async () => {
      const { listed } = await process.router.route([routable(users('before'))]);
      return listed === 20;
    });
    proxy.mode = mode;
    for (const _ of countTo(5)) {
      const summary = await process.router.route([routable(users('during'))]);
      expect(summary).toEqual({ published: 0, listed: 0, unknown: 20 });
    }
    proxy.mode = 'pass';
    proxy.cut();
    await eventually('it routes again', async () => {
      const { listed } = await process.router.route([routable(users('after'))]);
      return listed === 20;
    });
    expect(await process.redis.answers()).toBe(true);
  },
);

test('§4: once the breaker is open a route does not wait', async () => {
  // A route that waited would do so for longer than a test may take.
  const longMs = 10 * HANG_MS;
  const process = await startThroughProxy({ ...PATIENT, routeMs: longMs, halfOpenMs: longMs });
  proxy.mode = 'blackhole';
  for (const _ of countTo(3)) await process.redis.runAll([['llen', routing.keys.offline('x')]], 100);
  const summaries = await Promise.all(countTo(20).map(() => process.router.route([routable({ x: 1 })])));
  expect(summaries).toEqual(countTo(20).map(() => ({ published: 0, listed: 0, unknown: 1 })));
});

test('§4: the steps of a route wait for no longer than the route together', async () => {
  const { routeMs, livenessMs } = REDIS_WAITS;
  const process = await startThroughProxy({ ...PATIENT, routeMs, livenessMs });
  await routing.lease('g1');
  await process.presence.hold('g1', [{ user: 'known', count: 1 }]);
  // The clock moves with the waits alone: as if each step took all that it may.
  let now = Date.now() + LIVENESS_MAX_AGE_MS;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  const runAll = process.redis.runAll.bind(process.redis);
  const waits: number[] = [];
  jest.spyOn(process.redis, 'runAll').mockImplementation(async (commands, waitMs = HANG_MS) => {
    waits.push(waitMs);
    now += waitMs;
    return await runAll(commands, 1);
  });
  proxy.mode = 'blackhole';
  const summary = await process.router.route([routable({ known: 1, unknown: 1 })]);
  expect(summary).toEqual({ published: 0, listed: 0, unknown: 2 });
  // A lease, the holders, and what comes too late: that is tried for a moment only.
  expect(waits.slice(0, 3)).toEqual([livenessMs, routeMs - livenessMs, 1]);
  expect(waits.every((waitMs, index) => index < 2 || waitMs === 1)).toBe(true);
});

test('§6: a Redis that is wiped, scripts and all, and one that was started anew, are used like the one before', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'posthorn-routing-'));
  let server: RedisServer = await startRedis({ dir });
  const own = openTestRouting(openTestRedis(server.url));
  try {
    const here = await own.start();
    const lease = leaseOf(here, own.keys, 'g1');
    let now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const work = async (): Promise<void> => {
      expect(await lease.renew()).toBe(false);
      // What was known of the lease before is too old by now.
      now += LIVENESS_MAX_AGE_MS;
      expect(await here.router.route([routable(users('any'))])).toMatchObject({ listed: 20 });
      await here.presence.hold('g1', [{ user: 'bob', count: 1 }]);
      expect(await here.presence.findOnline(['bob', 'any-1'])).toEqual(new Set(['bob']));
      expect(await here.list.read('any-1', 0, 10)).toHaveLength(1);
      expect(await here.list.trim([{ user: 'any-1', cursor: 1, epoch: 'epoch-1' }])).toMatchObject({
        dropped: 1,
      });
      expect(await lease.renew()).toBe(true);
    };
    await work();
    await own.client.flushall();
    await own.client.script('FLUSH');
    await work();
    await server.stop();
    expect(await here.router.route([routable({ x: 1 })])).toEqual({ published: 0, listed: 0, unknown: 1 });
    server = await startRedis({ dir, port: server.port });
    await eventually(
      'Redis is back',
      async () => (await here.router.route([routable({ y: 1 })])).listed === 1,
    );
    await own.client.flushall();
    await work();
  } finally {
    await own.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
});
