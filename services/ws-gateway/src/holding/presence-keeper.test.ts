import {
  type Hold,
  Keys,
  Lease,
  LIVENESS_MAX_AGE_MS,
  LiveGateways,
  Presence,
  RedisConnection,
} from '@posthorn/routing';
import { type CommonSettings, loadGatewaySettings } from '@posthorn/runtime';
import { createServiceContext, eventually, openTestRedis, type TestRedis } from '@posthorn/testing';
import { patient } from '../../test/test-gateway.fixture';
import { Session, type SessionHost } from '../session/session';
import { ConnectionTable } from './connection-table';
import { PresenceKeeper } from './presence-keeper';

/** Rare, so that an hour is short. */
const RENEW_MS = 60_000;
const HOUR_MS = 3_600_000;

/** On the real Redis; only the clock is the test's own. */
describe('PresenceKeeper', () => {
  let redis: TestRedis;
  let connection: RedisConnection;
  let table: ConnectionTable;
  let keeper: PresenceKeeper;
  let nowMs: number;
  let written: Map<string, number>;
  let keys: Keys;
  beforeEach(async () => {
    redis = openTestRedis();
    connection = new RedisConnection(
      redis.url,
      { info: () => undefined, warn: () => undefined },
      patient.redisWaits,
    );
    await eventually('Redis', () => connection.answers());
    keys = new Keys(redis.prefix);
    table = new ConnectionTable();
    [nowMs, written] = [0, new Map()];
    const presence = new CountedPresence(connection, keys, new LiveGateways(connection, keys));
    presence.written = written;
    const settings: CommonSettings = loadGatewaySettings({
      DATABASE_URL: 'postgres://127.0.0.1:1/x',
      REDIS_URL: redis.url,
      AUTH_JWT_SECRET: 'x'.repeat(32),
    });
    keeper = new PresenceKeeper({
      gateway: 'g1',
      presence,
      lease: new Lease(connection, keys, 'g1', () => ({
        host: 'here',
        pid: 1,
        startedAt: '2026-11-26T10:00:00.000Z',
        connections: 0,
        users: 0,
      })),
      table,
      maxConnectionsPerUser: 20,
      renewMs: RENEW_MS,
      log: createServiceContext('ws-gateway', settings).log,
      listener: { onLost: () => undefined, onSurplus: () => undefined },
      now: () => nowMs,
    });
    // As after some time: a lease that is new would have everything said again.
    await redis.client.set(keys.lease('g1'), '1');
    await keeper.renew();
    for (let user = 1; user <= 30; user++) table.add(sessionOf(`user-${user}`));
  });
  afterEach(async () => {
    await keeper.stop();
    connection.close();
    await redis.close();
  });

  /** Renews as often as the timer does in this time. */
  async function pass(durationMs: number): Promise<void> {
    for (const endMs = nowMs + durationMs; nowMs < endMs; ) {
      nowMs += RENEW_MS;
      await keeper.renew();
    }
  }

  it('§6: writes each presence hash once an hour, however few there are', async () => {
    await pass(HOUR_MS - RENEW_MS);
    expect(written.size).toBe(0);
    for (const hour of [1, 2]) {
      await pass(HOUR_MS);
      expect([...written.values()]).toEqual(Array(30).fill(hour));
    }
  });

  it('§6: spreads a round over its hour where there are many', async () => {
    for (let user = 31; user <= 240; user++) table.add(sessionOf(`user-${user}`));
    await pass(HOUR_MS);
    expect(written.size).toBe(4);
    await pass(HOUR_MS / 2);
    expect(written.size).toBe(4 + 120);
  });

  it('§6: says everything when the lease was lost, and again once whoever read it as gone has acted on that', async () => {
    await redis.client.del(keys.lease('g1'));
    const startedAt = performance.now();
    await keeper.renew();
    expect([...written.values()]).toEqual(Array(30).fill(1));
    await eventually('again', () => [...written.values()].every((count) => count === 2));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(2 * LIVENESS_MAX_AGE_MS - 1);
  });
});

/** As it is; what it writes is counted. */
class CountedPresence extends Presence {
  written = new Map<string, number>();

  override hold(gateway: string, holds: readonly Hold[]): ReturnType<Presence['hold']> {
    for (const { user } of holds) this.written.set(user, (this.written.get(user) ?? 0) + 1);
    return super.hold(gateway, holds);
  }
}

function sessionOf(user: string): Session {
  return new Session({ user, device: 'phone', isAutoAck: false, tokenExpiresAtMs: 0 }, host, 0);
}

const host: SessionHost = {
  deliveryWindow: 256,
  maxBufferedBytes: 1_000,
  heartbeatMs: 25_000,
  rateLimitFrames: 0,
  onSent: () => undefined,
  onSkipped: () => undefined,
  onWant: () => undefined,
  onAck: () => undefined,
  onLeave: () => undefined,
};
