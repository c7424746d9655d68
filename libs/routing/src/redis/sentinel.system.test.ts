import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisSentinel, startRedisSentinel } from '@posthorn/stack';
import { eventually, FaultProxy, HANG_MS, openTestRedis } from '@posthorn/testing';
import {
  countTo,
  openConnection,
  openTestRouting,
  routable,
  STEADY,
  silent,
  type TestProcess,
  type TestRouting,
} from '../../test/routing-fixture';
import { GatewayChannel } from '../channel/gateway-channel';
import { REDIS_WAITS } from '../times';
import { closeRedis } from './lasting-redis';
import { RedisConnection } from './redis-connection';

const dir = mkdtempSync(join(tmpdir(), 'posthorn-sentinel-'));
let sentinel: RedisSentinel;
let routing: TestRouting;
let process: TestProcess;
let heard: { users: string[]; returns: number; channel: GatewayChannel };
const GATEWAY = 'g1';
const opened: { close(): void }[] = [];

beforeAll(async () => {
  sentinel = await startRedisSentinel({ dir });
  routing = openTestRouting(openTestRedis(sentinel.url));
  process = await routing.start({ waits: STEADY });
  const redis = await openConnection(sentinel.url, REDIS_WAITS);
  const so: { users: string[]; returns: number } = { users: [], returns: 0 };
  const channel = new GatewayChannel(
    redis,
    routing.keys,
    GATEWAY,
    {
      onNotice: (notice) => {
        if (notice.type === 'disconnect') so.users.push(notice.user);
      },
      onReturn: () => void so.returns++,
      onRubbish: () => undefined,
    },
    silent,
  );
  opened.push(channel, redis);
  heard = Object.assign(so, { channel });
  await channel.whenSubscribed(HANG_MS);
});

afterAll(async () => {
  for (const each of opened) each.close();
  await routing.close();
  await sentinel.stop();
  rmSync(dir, { recursive: true, force: true });
});

let names = 0;

/** Resolves once commands and the channel work. */
async function worksAgain(): Promise<void> {
  const user = `user-${names++}`;
  await eventually('a route and a publish arrive', async () => {
    const { listed } = await process.router.route([routable({ [user]: 1 })]);
    await process.redis.publish([
      [routing.keys.channel(GATEWAY), JSON.stringify({ type: 'disconnect', user })],
    ]);
    return listed === 1 && heard.users.includes(user);
  });
}

/** Both connections, and what is written, are where the sentinels say. */
async function expectAtMaster(): Promise<void> {
  const key = routing.keys.lease('probe');
  await eventually('both are at the master', async () => {
    const master = await sentinel.master();
    const word = String(names++);
    await process.redis.run(['set', key, word]);
    const [found, numsub] = await master.ask((redis) =>
      Promise.all([redis.get(key), redis.pubsub('NUMSUB', routing.keys.channel(GATEWAY))]),
    );
    return found === word && numsub[1] === 1;
  });
}

test('§6: commands and the channel follow a planned failover', async () => {
  await worksAgain();
  let readies = 0;
  process.redis.onReady(() => void readies++);
  const returns = heard.returns;
  await sentinel.failOver();
  await eventually('the return', () => heard.returns > returns && readies > 0);
  await worksAgain();
  await expectAtMaster();
});

test.each(['dies', 'hangs'] as const)(
  '§4, §6: a master that %s ends no send, is noticed, and what follows goes to the new one',
  async (what) => {
    await sentinel.untilWatched();
    const master = await sentinel.master();
    const returns = heard.returns;
    if (what === 'dies') await master.kill();
    else master.signal('SIGSTOP');
    for (const _ of countTo(5)) {
      const summary = await process.router.route([routable({ [`during-${names++}`]: 1 })]);
      expect(summary.unknown + summary.listed).toBe(1);
    }
    await eventually('the replica takes over', async () => (await sentinel.master()) !== master);
    await eventually('the return', () => heard.returns > returns);
    await worksAgain();
    await expectAtMaster();
    if (what === 'dies') await master.restart();
    else master.signal('SIGCONT');
    // The old master becomes a replica: nobody goes back to it.
    await sentinel.untilWatched();
    await worksAgain();
    await expectAtMaster();
  },
);

test('§6: a master that becomes a replica without a word is left at the first write', async () => {
  await sentinel.untilWatched();
  const [master, replica] = [await sentinel.master(), await sentinel.replica()];
  const redis = await openConnection(master.url, STEADY);
  opened.push(redis);
  let readies = 0;
  redis.onReady(() => void readies++);
  await master.ask((client) => client.replicaof('127.0.0.1', replica.port));
  await eventually('the refusal', async () => {
    const [reply] = await redis.runAll([['set', routing.keys.lease('refused'), '1']]);
    return reply instanceof Error;
  });
  await eventually('a new connection', () => readies > 0);
  await master.ask((client) => client.replicaof('NO', 'ONE'));
  await eventually('one master and its replica', async () => {
    await sentinel.untilWatched();
    return true;
  });
});

test('§6: a connection that is given up while the sentinels are asked is begun anew', async () => {
  const proxy = await FaultProxy.open(sentinel.sentinels[0]?.url ?? '');
  const redis = new RedisConnection(`redis+sentinel://127.0.0.1:${proxy.port}/main`, silent);
  opened.push(redis, { close: () => void proxy.close() });
  proxy.mode = 'blackhole';
  const subscriber = redis.openSubscriber('any');
  opened.push({ close: () => closeRedis(subscriber) });
  const ends = jest.fn();
  subscriber.on('end', ends);
  await eventually('it asks', () => subscriber.status === 'connecting');
  subscriber.disconnect(true);
  await eventually('it is given up', () => ends.mock.calls.length > 0);
  proxy.mode = 'pass';
  await eventually('it is there', () => subscriber.status === 'ready');
});
