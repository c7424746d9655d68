import type { RedisKind } from '@posthorn/protocol';
import {
  eventually,
  fromGlobalSetup,
  type OwnRedis,
  openTestRedis,
  redisKinds,
  startOwnRedis,
} from '@posthorn/testing';
import { ReplyError } from 'ioredis';
import {
  countTo,
  EPOCH,
  leaseOf,
  openTestRouting,
  routable,
  type TestProcess,
  type TestRouting,
} from '../../test/routing-fixture';
import { Notifier } from '../channel/notifier';
import { SendLimiter } from '../send-limit/send-limiter';
import { readRedisFacts } from './redis-facts';
import { RedisNode } from './redis-node';

// What the other tests show on one server, shown to be the same on every kind of Redis.
describe.each(redisKinds)('%s', (kind: RedisKind) => {
  let own: OwnRedis | undefined;
  let routing: TestRouting;
  let process: TestProcess;

  beforeAll(async () => {
    if (kind !== 'single') own = await startOwnRedis(kind);
    routing = openTestRouting(openTestRedis(own?.url ?? fromGlobalSetup('POSTHORN_TEST_REDIS_URL')));
    process = await routing.start();
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  afterAll(async () => {
    await routing.close();
    await own?.stop();
  });

  const many = (name: string): string[] => countTo(200).map((index) => `${name}-${index}`);

  test('§6: a batch for many users on all nodes is routed, read, trimmed: each entry once, in two trips to each node', async () => {
    const users = many('off');
    const trips = jest.spyOn(RedisNode.prototype, 'send');
    const batch = [1, 2].map((seq) => routable(Object.fromEntries(users.map((user) => [user, seq]))));
    expect(await process.router.route(batch)).toEqual({ published: 0, listed: 400, unknown: 0 });
    // Who is online is asked without the entries, which go to those only who are not.
    expect(trips.mock.calls.length).toBe(2 * (kind === 'cluster' ? 3 : 1));
    for (const user of users.slice(0, 20)) {
      expect((await process.list.read(user, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2]);
    }
    expect(await process.list.findNonEmpty([...users, 'nobody'])).toEqual({ waiting: users, unreached: [] });
    const trims = users.map((user) => ({ user, cursor: 1, epoch: EPOCH }));
    expect(await process.list.trim(trims)).toEqual({ dropped: 200, unreached: [] });
  });

  test('§6: users on all nodes are held, found online, published to, and let go', async () => {
    const gateways = ['g1', 'g2', 'g3', 'g4'];
    const heard = await Promise.all(gateways.map((gateway) => routing.listen(gateway)));
    const users = many('on');
    const holderOf = (index: number): string => gateways[index % gateways.length] ?? '';
    for (const gateway of gateways) {
      const holds = users
        .filter((_, index) => holderOf(index) === gateway)
        .map((user) => ({ user, count: 1 }));
      expect(await process.presence.hold(gateway, holds)).toEqual(holds.map(() => new Map([[gateway, 1]])));
    }
    expect(await process.presence.findOnline([...users, 'nobody'])).toEqual(new Set(users));
    const message = routable(Object.fromEntries(users.map((user) => [user, 1])));
    expect(await process.router.route([message])).toEqual({ published: 200, listed: 0, unknown: 0 });
    const toOf = (index: number): string[] =>
      (heard[index] ?? [])
        .flatMap((notice) => (notice.type === 'entries' ? notice.items : []))
        .flatMap(({ to }) => to.map(([user]) => user));
    await eventually('all arrived', () => heard.every((_, index) => toOf(index).length === 50));
    for (const [index, gateway] of gateways.entries()) {
      expect(toOf(index).sort()).toEqual(users.filter((_, at) => holderOf(at) === gateway).sort());
      await process.presence.hold(
        gateway,
        users.map((user) => ({ user, count: 0 })),
      );
    }
    expect(await process.presence.findOnline(users)).toEqual(new Set());
  });

  test('§6: a publish that reaches nobody falls back to the list', async () => {
    await routing.lease('deaf');
    await process.presence.hold('deaf', [{ user: 'missed', count: 1 }]);
    expect(await process.router.route([routable({ missed: 1 })])).toEqual({
      published: 0,
      listed: 1,
      unknown: 0,
    });
  });

  test('§2, §5: notices, leases and limits work', async () => {
    const notices = await routing.listen('told');
    await process.presence.hold('told', [{ user: 'erin', count: 1 }]);
    const notifier = new Notifier(process.redis, routing.keys, process.presence);
    await notifier.publishDisconnect('erin');
    await eventually('the notice', () => notices.length === 1);
    const lease = leaseOf(process, routing.keys, 'l1');
    expect([await lease.renew(), await lease.renew()]).toEqual([false, true]);
    await lease.end();
    expect(await lease.renew()).toBe(false);
    const limiter = new SendLimiter(process.redis, routing.keys, 1);
    const taken = await Promise.all(countTo(5).map(() => limiter.take('frank')));
    expect(taken.filter(({ isAllowed }) => isAllowed)).toHaveLength(4);
    expect(await routing.client.exists(routing.keys.sends('frank'))).toBe(1);
    expect(await process.redis.answers()).toBe(true);
  });

  test('an answer that is an error of one command does not fail its neighbours', async () => {
    await routing.client.set(routing.keys.offline('text'), 'x');
    const replies = await process.redis.runAll(
      ['a', 'text', 'b'].map((user) => ['llen', routing.keys.offline(user)] as const),
    );
    expect(replies).toEqual([0, expect.any(ReplyError), 0]);
  });

  test('§6.3: Redis tells of every node that serves keys, and takes a write', async () => {
    const facts = await readRedisFacts(routing.url, 'facts:');
    expect(facts).toMatchObject({ kind, writeError: null });
    expect(facts.nodes).toHaveLength(kind === 'cluster' ? 3 : 1);
    for (const { info, latenciesMs, clock } of facts.nodes) {
      expect(info).toMatchObject({ role: 'master', maxmemory_policy: 'noeviction' });
      expect(latenciesMs).toHaveLength(7);
      // Its clock is the machine's: what it said lies between the question and the answer, but for a rounding.
      expect(Math.abs(clock.theirsMs - clock.oursMs)).toBeLessThanOrEqual(clock.tookMs / 2 + 2);
    }
    expect(facts.cluster).toEqual(kind === 'cluster' ? { state: 'ok', slotsOk: 16_384 } : null);
  });

  test('§6.3: Redis that is out of reach: why is passed on', async () => {
    const nowhere = routing.url.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1');
    await expect(readRedisFacts(nowhere, 'facts:')).rejects.toThrow(
      kind === 'sentinel' ? /sentinel/i : /ECONNREFUSED/,
    );
  });
});
