import { randomUUID } from 'node:crypto';
import type { StoredMessage } from '@posthorn/protocol';
import type { RedisClient } from '@posthorn/stack';
import { eventually, HANG_MS, openTestRedis, type TestRedis } from '@posthorn/testing';
import {
  type GatewayAbout,
  Keys,
  Lease,
  OfflineList,
  type OfflineListLimits,
  Presence,
  type RedisLog,
  type RoutableMessage,
  Router,
} from '../src';
import { type GatewayNotice, parseGatewayNotice } from '../src/channel/gateway-notice';
import { LiveGateways } from '../src/presence/live-gateways';
import { closeRedis } from '../src/redis/lasting-redis';
import { RedisConnection } from '../src/redis/redis-connection';
import { REDIS_WAITS, type RedisWaits } from '../src/times';

export const EPOCH = 'epoch-1';

/** A log that goes nowhere. */
export const silent: RedisLog = { info: () => undefined, warn: () => undefined };

/** Waits that end only a test that hangs, for tests of what Redis answers. */
export const PATIENT: RedisWaits = {
  ...REDIS_WAITS,
  commandMs: HANG_MS,
  limitMs: HANG_MS,
  routeMs: HANG_MS,
  livenessMs: HANG_MS,
};

/** For tests in which a node hangs: longer than a busy machine needs for an answer, short enough to wait for. */
export const STEADY: RedisWaits = {
  ...REDIS_WAITS,
  commandMs: 1_000,
  limitMs: 1_000,
  routeMs: 1_000,
  livenessMs: 1_000,
};

/** What one process has of the library, on a Redis with a prefix of the test file's own. */
export interface TestProcess {
  redis: RedisConnection;
  gateways: LiveGateways;
  presence: Presence;
  list: OfflineList;
  router: Router;
}

/** Redis for a test file. */
export interface TestRouting {
  keys: Keys;
  /** For looking at what is there, and for putting there what should not be. */
  client: RedisClient;
  url: string;
  /** A process with connections of its own, ready; patient unless told otherwise. */
  start(options?: { url?: string; limits?: OfflineListLimits; waits?: RedisWaits }): Promise<TestProcess>;
  /** A gateway with a lease that listens on its channel, and what came there. */
  listen(gateway: string): Promise<GatewayNotice[]>;
  /** Gives a gateway a lease, without anybody listening. */
  lease(gateway: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens one; `close` ends all that was opened through it. */
export function openTestRouting(on: TestRedis = openTestRedis()): TestRouting {
  const keys = new Keys(on.prefix);
  const started: { close(): void }[] = [];
  const lease = async (gateway: string): Promise<void> => {
    // As long as a test may take: those in which it ends remove it.
    await on.client.set(keys.lease(gateway), '1', 'PX', 10 * HANG_MS);
  };
  return {
    keys,
    client: on.client,
    url: on.url,
    start: async ({ url = on.url, limits = { max: 1_000, ttlS: 604_800 }, waits = PATIENT } = {}) => {
      const redis = await openConnection(url, waits);
      started.push(redis);
      const gateways = new LiveGateways(redis, keys);
      return {
        redis,
        gateways,
        presence: new Presence(redis, keys, gateways),
        list: new OfflineList(redis, keys),
        router: new Router(redis, keys, gateways, limits),
      };
    },
    listen: async (gateway) => {
      const notices: GatewayNotice[] = [];
      const redis = await openConnection(on.url);
      const channel = keys.channel(gateway);
      const subscriber = redis.openSubscriber(channel);
      started.push({ close: () => closeRedis(subscriber) }, redis);
      subscriber.on(redis.isSharded ? 'smessage' : 'message', (_channel: string, text: string) => {
        const notice = parseGatewayNotice(text);
        if (notice === null) throw new Error(`not a notice: ${text}`);
        notices.push(notice);
      });
      await eventually('it is connected', () => subscriber.status === 'ready');
      await (redis.isSharded ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel));
      await lease(gateway);
      return notices;
    },
    lease,
    close: async () => {
      for (const each of started) each.close();
      await on.close();
    },
  };
}

/** A connection whose log goes nowhere, ready for commands. */
export async function openConnection(url: string, waits = PATIENT): Promise<RedisConnection> {
  const redis = new RedisConnection(url, silent, waits);
  await eventually('Redis is ready', () => redis.answers());
  return redis;
}

/** A committed message from alice to these users, with their places. */
export function routable(
  to: Record<string, number>,
  more: Partial<Omit<StoredMessage, 'to'>> = {},
): RoutableMessage {
  const message: StoredMessage = {
    id: randomUUID(),
    from: 'alice',
    to: Object.keys(to),
    text: 'hello',
    createdAt: '2026-11-22T12:00:00.000Z',
    ...more,
  };
  return { message, epoch: EPOCH, entries: Object.entries(to).map(([user, seq]) => ({ user, seq })) };
}

/** The message as a recipient other than its sender sees it. */
export function seen({ message }: RoutableMessage): Omit<StoredMessage, 'to'> {
  const { to: _to, ...rest } = message;
  return rest;
}

/** What a gateway without connections says of itself. */
function aboutNobody(): GatewayAbout {
  return { host: 'here', pid: 1, startedAt: '2026-11-26T10:00:00.000Z', connections: 0, users: 0 };
}

/** Another gateway's lease. */
export function leaseOf(process: TestProcess, keys: Keys, gateway: string): Lease {
  return new Lease(process.redis, keys, gateway, aboutNobody);
}

/** 1, 2, 3 … */
export function countTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
