import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisCluster, type RedisServer, startRedisCluster } from '@posthorn/stack';
import { eventually, HANG_MS, openTestRedis } from '@posthorn/testing';
import {
  countTo,
  EPOCH,
  openConnection,
  openTestRouting,
  routable,
  STEADY,
  silent,
  type TestProcess,
  type TestRouting,
} from '../../../test/routing-fixture';
import { GatewayChannel } from '../../channel/gateway-channel';
import { REDIS_WAITS } from '../../times';
import { RedisConnection } from '../redis-connection';
import { hashSlot } from './hash-slot';

const dir = mkdtempSync(join(tmpdir(), 'posthorn-cluster-'));
let cluster: RedisCluster;
let routing: TestRouting;
let process: TestProcess;
const opened: { close(): void }[] = [];

/** Nobody takes a node of a busy machine for dead. */
const QUIET_TIMEOUT_MS = 30_000;
const FAILOVER_TIMEOUT_MS = 1_500;

beforeAll(async () => {
  cluster = await startRedisCluster({ dir, replicas: 1, nodeTimeoutMs: QUIET_TIMEOUT_MS });
  routing = openTestRouting(openTestRedis(cluster.url));
  process = await routing.start({ waits: STEADY });
});

afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

afterAll(async () => {
  await routing.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A node that is silent for this long is replaced. */
async function replaceAfter(ms: number): Promise<void> {
  const running = cluster.servers.filter(({ isRunning }) => isRunning);
  await Promise.all(
    running.map((server) => server.ask((redis) => redis.config('SET', 'cluster-node-timeout', ms))),
  );
}

/** Users whose keys the node serves. */
async function usersOf(server: RedisServer, name: string, count: number): Promise<string[]> {
  const users: string[] = [];
  for (let index = 0; users.length < count; index++) {
    const user = `${name}-${index}`;
    if ((await cluster.nodeOf(routing.keys.offline(user))) === server) users.push(user);
  }
  return users;
}

/** A gateway whose channel, and with it its lease, is on the node. */
async function gatewayOn(server: RedisServer, name: string): Promise<string> {
  for (let index = 0; ; index++) {
    const gateway = `${name}${index}`;
    if ((await cluster.nodeOf(routing.keys.channel(gateway))) === server) return gateway;
  }
}

interface Heard {
  channel: GatewayChannel;
  users: string[];
  returns: number;
  reasons: string[];
}

/** Listens as a gateway does. */
async function listen(gateway: string): Promise<Heard> {
  const heard: Omit<Heard, 'channel'> = { users: [], returns: 0, reasons: [] };
  const redis = await openConnection(cluster.url, REDIS_WAITS);
  const channel = new GatewayChannel(
    redis,
    routing.keys,
    gateway,
    {
      onNotice: (notice) => {
        if (notice.type === 'disconnect') heard.users.push(notice.user);
      },
      onReturn: () => void heard.returns++,
      onRubbish: () => undefined,
    },
    {
      info: () => undefined,
      warn: (_message, meta) => void heard.reasons.push(meta && 'reason' in meta ? String(meta.reason) : ''),
    },
  );
  opened.push(channel, redis);
  await channel.whenSubscribed(HANG_MS);
  return Object.assign(heard, { channel });
}

/** Publishes to the gateway until it has heard of it. */
async function expectHeard(gateway: string, heard: Heard, user: string): Promise<void> {
  await eventually(`${user} is heard`, async () => {
    const text = JSON.stringify({ type: 'disconnect', user });
    await process.redis.publish([[routing.keys.channel(gateway), text]]);
    return heard.users.includes(user);
  });
}

test('§6: a gateway listens on the node of its channel only', async () => {
  const gateway = 'one-node';
  await listen(gateway);
  const channel = routing.keys.channel(gateway);
  expect(await cluster.subscribedNodes(channel)).toEqual([await cluster.nodeOf(channel)]);
});

test('§6: slots are those of Redis itself', async () => {
  const keys = [
    '',
    '{}a',
    'a{',
    'a}b{c}',
    '{a}{b}',
    'posthorn:gateway:g1',
    ...countTo(50).map((index) => `k${index}`),
  ];
  const slots = await cluster.servers[0]?.ask((redis) =>
    Promise.all(keys.map((key) => redis.cluster('KEYSLOT', key))),
  );
  expect(keys.map(hashSlot)).toEqual(slots);
});

test('§6: while the slot of a user moves to another node nothing but what goes wrong for a moment is seen, and nothing is lost', async () => {
  const user = 'moving';
  const key = routing.keys.offline(user);
  await process.router.route([routable({ [user]: 1 })]);
  let seq = 1;
  const move = { isOver: false };
  const sums = { listed: 1, unknown: 0 };
  const send = async (): Promise<void> => {
    while (!move.isOver || seq < 40) {
      const { listed, unknown } = await process.router.route([
        routable({ [user]: ++seq, [`still-${seq}`]: 1 }),
      ]);
      // The other user is somewhere else: its entry is listed whatever happens here.
      sums.listed += listed - 1;
      sums.unknown += unknown;
    }
  };
  const sending = send();
  for (const _ of countTo(3)) await cluster.moveSlot(key, await cluster.otherNode(key));
  move.isOver = true;
  await sending;
  expect(sums.listed + sums.unknown).toBe(seq);
  const entries = await process.list.read(user, 0, 10_000);
  // What is not known to have happened may have.
  expect(entries.length).toBeGreaterThanOrEqual(sums.listed);
  expect(new Set(entries.map((entry) => entry.seq)).size).toBe(entries.length);
  expect(await process.router.route([routable({ [user]: ++seq })])).toMatchObject({ listed: 1 });
});

test('§6: commands are sent on, from a node that does not serve the slot any more, to the one that does', async () => {
  const users = countTo(30).map((index) => `sent-on-${index}`);
  const stale = await routing.start();
  const keys = users.slice(0, 3).map((user) => routing.keys.presence(user));
  for (const key of keys) await cluster.moveSlot(key, await cluster.otherNode(key));
  const held = await stale.presence.hold(
    'g',
    users.map((user) => ({ user, count: 1 })),
  );
  expect(held.every((holders) => holders !== null)).toBe(true);
  const counts = await stale.redis.runAll(
    users.map((user) => ['hgetall', routing.keys.presence(user)] as const),
  );
  expect(counts).toEqual(users.map(() => ({ g: '1' })));
});

test('§1: the subscription follows its channel to another node, and its return is told', async () => {
  const gateway = 'follows';
  const channel = routing.keys.channel(gateway);
  const heard = await listen(gateway);
  await expectHeard(gateway, heard, 'before');
  const to = await cluster.otherNode(channel);
  await cluster.moveSlot(channel, to);
  await eventually('the return', () => heard.returns > 1);
  expect(await cluster.subscribedNodes(channel)).toEqual([to]);
  expect(heard.reasons).toContain('the channel moved to another node');
  await expectHeard(gateway, heard, 'after');
});

test('§6: a planned failover interrupts nobody for long: what is published arrives, commands go to the new master', async () => {
  const gateway = 'stays';
  const heard = await listen(gateway);
  await expectHeard(gateway, heard, 'before');
  const node = await cluster.nodeOf(routing.keys.channel(gateway));
  const promoted = await cluster.failOver(node);
  expect(promoted).not.toBe(node);
  await expectHeard(gateway, heard, 'after');
  const [user = ''] = await usersOf(promoted, 'there', 1);
  await eventually(
    'a route',
    async () => (await process.router.route([routable({ [user]: 1 })])).listed === 1,
  );
});

test('§4: a node that hangs takes only its own users with it, and a send ends all the same', async () => {
  const [hung, well] = [await cluster.nodeOf('a'), await cluster.otherNode('a')];
  const [slow, quick] = [await usersOf(hung, 'slow', 5), await usersOf(well, 'quick', 5)];
  const gateway = await gatewayOn(well, 'well');
  const heard = await listen(gateway);
  await routing.lease(gateway);
  await process.presence.hold(gateway, [{ user: quick[0] ?? '', count: 1 }]);
  const to = Object.fromEntries([...slow, ...quick].map((user) => [user, 1]));
  hung.signal('SIGSTOP');
  try {
    for (const _ of countTo(4)) {
      const summary = await process.router.route([routable(to)]);
      expect(summary).toEqual({ published: 1, listed: 4, unknown: 5 });
    }
    const holds = [slow[0] ?? '', quick[1] ?? ''].map((name) => ({ user: name, count: 1 }));
    expect(await process.presence.hold(gateway, holds)).toEqual([null, new Map([[gateway, 1]])]);
    await process.presence.hold(gateway, [{ user: quick[1] ?? '', count: 0 }]);
    expect(await process.list.findNonEmpty([...slow, ...quick])).toEqual({
      waiting: quick.slice(1),
      unreached: slow,
    });
    const trims = [...slow, ...quick].map((name) => ({ user: name, cursor: 1, epoch: EPOCH }));
    expect(await process.list.trim(trims)).toMatchObject({ unreached: slow });
    expect(await process.presence.findOnline(quick)).toEqual(new Set(quick.slice(0, 1)));
    await expect(process.presence.findOnline([...slow, ...quick])).rejects.toMatchObject({
      name: 'RedisOutageError',
    });
    expect(await process.redis.answers()).toBe(false);
    await expectHeard(gateway, heard, 'meanwhile');
  } finally {
    hung.signal('SIGCONT');
  }
  await eventually(
    'all are routed again',
    async () => (await process.router.route([routable(to)])).unknown === 0,
  );
  await cluster.untilSettled();
});

test.each(['hangs', 'dies'] as const)(
  '§1: a gateway whose node %s listens again once a replica has taken over, and presence is said again',
  async (what) => {
    const gateway = `survives-${what}`;
    const channel = routing.keys.channel(gateway);
    const heard = await listen(gateway);
    await expectHeard(gateway, heard, 'before');
    let readies = 0;
    process.redis.onReady(() => void readies++);
    const node = await cluster.nodeOf(channel);
    const returns = heard.returns;
    await replaceAfter(FAILOVER_TIMEOUT_MS);
    if (what === 'dies') await node.kill();
    else node.signal('SIGSTOP');
    await eventually('a replica takes over', async () => (await cluster.nodeOf(channel)) !== node);
    await eventually('the return', () => heard.returns > returns && heard.channel.isSubscribed);
    await expectHeard(gateway, heard, 'after');
    expect(readies).toBeGreaterThan(0);
    if (what === 'dies') await node.restart();
    else node.signal('SIGCONT');
    await cluster.untilSettled();
    await replaceAfter(QUIET_TIMEOUT_MS);
    await expectHeard(gateway, heard, 'later');
  },
);

test('§2: without any node commands fail at once, and all is found again', async () => {
  const redis = await openConnection(cluster.url, STEADY);
  opened.push(redis);
  await Promise.all(cluster.servers.map((server) => server.stop()));
  await eventually('the loss', async () => !(await redis.answers()));
  const [reply] = await redis.runAll([['llen', routing.keys.offline('x')]], 10 * HANG_MS);
  expect(reply).toMatchObject({ name: 'RedisOutageError' });
  const early = new RedisConnection(cluster.url, silent);
  opened.push(early);
  await Promise.all(cluster.servers.map((server) => server.restart()));
  await eventually('it is back', () => redis.answers());
  await eventually('who was there before Redis was finds it', () => early.answers());
});
