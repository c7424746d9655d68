import { eventually, FaultProxy, HANG_MS } from '@posthorn/testing';
import { Redis } from 'ioredis';
import {
  openConnection,
  openTestRouting,
  PATIENT,
  silent,
  type TestRouting,
} from '../../test/routing-fixture';
import { RedisConnection } from '../redis/redis-connection';
import { PROBE_MS, REDIS_WAITS } from '../times';
import { GatewayChannel } from './gateway-channel';
import type { GatewayNotice } from './gateway-notice';

interface Heard {
  channel: GatewayChannel;
  notices: GatewayNotice[];
  returns: number;
  rubbish: number;
  renewals: string[];
}

let routing: TestRouting;
const opened: { close(): void }[] = [];

beforeAll(() => {
  routing = openTestRouting();
});

afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  jest.useRealTimers();
});

afterAll(async () => {
  await routing.close();
});

async function open(gateway: string, redis: RedisConnection): Promise<Heard> {
  const heard: Omit<Heard, 'channel'> = { notices: [], returns: 0, rubbish: 0, renewals: [] };
  const channel = new GatewayChannel(
    redis,
    routing.keys,
    gateway,
    {
      onNotice: (notice) => void heard.notices.push(notice),
      onReturn: () => void heard.returns++,
      onRubbish: () => void heard.rubbish++,
    },
    {
      info: () => undefined,
      warn: (_message, meta) => void heard.renewals.push(meta && 'reason' in meta ? String(meta.reason) : ''),
    },
  );
  opened.push(channel, redis);
  await channel.whenSubscribed(HANG_MS);
  return Object.assign(heard, { channel });
}

const NOTICE: GatewayNotice = { type: 'disconnect', user: 'bob' };

async function publish(gateway: string, text = JSON.stringify(NOTICE)): Promise<number> {
  return await routing.client.publish(routing.keys.channel(gateway), text);
}

/** Only the watchdog and the probe use intervals. */
function fakeIntervals(): void {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
}

test('§6: what is published to the gateway arrives, and the first subscription is a return', async () => {
  const heard = await open('g1', await openConnection(routing.url));
  expect([heard.channel.isSubscribed, heard.returns]).toEqual([true, 1]);
  expect(await publish('g1')).toBe(1);
  expect(await publish('g2')).toBe(0);
  await eventually('the notice', () => heard.notices.length > 0);
  expect(heard.notices).toEqual([NOTICE]);
});

test('§6: rubbish on the channel is counted and hurts nobody', async () => {
  const heard = await open('g3', await openConnection(routing.url));
  for (const text of ['', '{', '{"type":"entries"}', '1']) await publish('g3', text);
  await publish('g3');
  await eventually('the notice', () => heard.notices.length > 0);
  expect(heard.rubbish).toBe(4);
});

test('§1: after each loss of the subscription its return is told, and what is published then arrives', async () => {
  const proxy = await FaultProxy.open(routing.url);
  opened.push({ close: () => void proxy.close() });
  const heard = await open('g4', await openConnection(proxy.through(routing.url)));
  for (const returns of [2, 3]) {
    proxy.mode = 'reset';
    await eventually('the loss is noticed', () => !heard.channel.isSubscribed);
    proxy.mode = 'pass';
    await eventually('the return', () => heard.returns === returns);
    expect(heard.channel.isSubscribed).toBe(true);
    expect(await publish('g4')).toBe(1);
    await eventually('the notice', () => heard.notices.length === returns - 1);
  }
});

test('§1: a subscriber that the server disconnects subscribes again', async () => {
  const redis = await openConnection(routing.url);
  const opening = jest.spyOn(redis, 'openSubscriber');
  const heard = await open('g5', redis);
  // Only this one: the Redis is other test files', too.
  const subscriber: Redis = opening.mock.results[0]?.value;
  const { localAddress, localPort } = subscriber.stream;
  expect(await routing.client.client('KILL', 'ADDR', `${localAddress}:${localPort}`)).toBe(1);
  await eventually('the return', () => heard.returns === 2);
  expect(await publish('g5')).toBe(1);
  await eventually('the notice', () => heard.notices.length > 0);
});

test('§1: a subscription that is silent while its connection seems fine is found and renewed', async () => {
  const proxy = await FaultProxy.open(routing.url);
  opened.push({ close: () => void proxy.close() });
  const heard = await open('g6', await openConnection(proxy.through(routing.url), REDIS_WAITS));
  proxy.mode = 'blackhole';
  await eventually('two pings without an answer', () => !heard.channel.isSubscribed);
  expect(heard.renewals).toEqual(['the subscriber does not answer']);
  proxy.mode = 'pass';
  await eventually('the return', () => heard.returns === 2);
  expect(await publish('g6')).toBe(1);
  await eventually('the notice', () => heard.notices.length > 0);
});

/** Its subscriptions end up on a channel where nobody publishes. */
class DeafConnection extends RedisConnection {
  override openSubscriber(channel: string): Redis {
    const subscriber = super.openSubscriber(channel);
    const subscribe = subscriber.subscribe.bind(subscriber);
    jest.spyOn(subscriber, 'subscribe').mockImplementation(() => subscribe('elsewhere'));
    return subscriber;
  }
}

test('§1: a subscription that answers but no longer gets what is published is found by probes and renewed', async () => {
  fakeIntervals();
  const redis = new DeafConnection(routing.url, silent, PATIENT);
  await eventually('Redis is ready', () => redis.answers());
  const heard = await open('g7', redis);
  await eventually('two probes without an echo', async () => {
    await jest.advanceTimersByTimeAsync(PROBE_MS);
    return heard.returns === 2;
  });
  expect(heard.renewals).toEqual(['published probes do not arrive']);
});

test('§6: probes of a healthy subscription come back, renew nothing, and are no notices', async () => {
  fakeIntervals();
  const heard = await open('g8', await openConnection(routing.url));
  const probes: string[] = [];
  const other = new Redis(routing.url);
  opened.push({ close: () => other.disconnect() });
  await other.subscribe(routing.keys.channel('g8'));
  other.on('message', (_channel, text: string) => {
    if (text.includes('probe')) probes.push(text);
  });
  for (let round = 1; round <= 5; round++) {
    await jest.advanceTimersByTimeAsync(PROBE_MS);
    await eventually('the probe is sent', () => probes.length === round);
    // A channel keeps its order: with the notice the probe has come as well.
    await publish('g8');
    await eventually('the notice behind it', () => heard.notices.length === round);
  }
  expect([heard.returns, heard.renewals, heard.rubbish]).toEqual([1, [], 0]);
  expect(heard.notices).toEqual(probes.map(() => NOTICE));
});

test('§2: without Redis it waits no longer than it was told, and subscribes when Redis comes', async () => {
  const proxy = await FaultProxy.open(routing.url);
  opened.push({ close: () => void proxy.close() });
  proxy.mode = 'reset';
  const redis = new RedisConnection(proxy.through(routing.url), silent, PATIENT);
  const channel = new GatewayChannel(
    redis,
    routing.keys,
    'g9',
    { onNotice: () => undefined, onReturn: () => undefined, onRubbish: () => undefined },
    silent,
  );
  opened.push(channel, redis);
  await channel.whenSubscribed(50);
  expect(channel.isSubscribed).toBe(false);
  proxy.mode = 'pass';
  await channel.whenSubscribed(HANG_MS);
  expect(channel.isSubscribed).toBe(true);
});
