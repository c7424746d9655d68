import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@posthorn/stack';
import { eventually, FaultProxy, openTestRedis } from '@posthorn/testing';
import {
  countTo,
  leaseOf,
  openTestRouting,
  routable,
  type TestProcess,
  type TestRouting,
  timed,
} from '../test/routing-fixture';

let routing: TestRouting;
let proxy: FaultProxy;
let process: TestProcess;

beforeEach(async () => {
  routing = openTestRouting();
  proxy = await FaultProxy.open(routing.url);
  process = await routing.start(proxy.through(routing.url));
});

afterEach(async () => {
  await routing.close();
  await proxy.close();
});

const users = (name: string): Record<string, number> =>
  Object.fromEntries(countTo(20).map((index) => [`${name}-${index}`, 1]));

test.each(['blackhole', 'drop-replies', 'reset'] as const)(
  '§4: Redis out of reach (%s): routing ends within 500 ms, counts what it does not know, and works again afterwards',
  async (mode) => {
    expect(await process.router.route([routable(users('before'))])).toMatchObject({ listed: 20 });
    proxy.mode = mode;
    for (const _ of countTo(5)) {
      const [summary, tookMs] = await timed(process.router.route([routable(users('during'))]));
      expect(summary).toEqual({ published: 0, listed: 0, unknown: 20 });
      expect(tookMs).toBeLessThan(450);
    }
    // The breaker is open by now: it costs nothing to try.
    const [, tookMs] = await timed(
      Promise.all(countTo(20).map(() => process.router.route([routable({ x: 1 })]))),
    );
    expect(tookMs).toBeLessThan(450);
    expect(await process.redis.answers()).toBe(false);
    proxy.mode = 'pass';
    await eventually('it routes again', async () => {
      const { listed } = await process.router.route([routable(users('after'))]);
      return listed === 20;
    });
    expect(await process.redis.answers()).toBe(true);
  },
);

test('§6: a Redis that is wiped, scripts and all, and one that was started anew, are used like the one before', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'posthorn-routing-'));
  let server: RedisServer = await startRedis({ dir });
  const own = openTestRouting(openTestRedis(server.url));
  try {
    const here = await own.start();
    const lease = leaseOf(here, own.keys, 'g1');
    const work = async (): Promise<void> => {
      expect(await lease.renew()).toBe(false);
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
