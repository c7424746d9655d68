import { eventually, FaultProxy, type TestClient } from '@posthorn/testing';
import { expectProblem, GatewayFixture, refusalOf, texts } from './gateway.fixture';
import { RawClient } from './raw-client.fixture';

const DRAIN_MS = 1_000;

describe('a stop, as SIGTERM begins it', () => {
  let fixture: GatewayFixture;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
  });
  afterAll(() => fixture.close());

  it('§5: sends every connection goodbye and 1012, spread over DRAIN_MS, with times to come back that differ', async () => {
    const gateway = await fixture.start({ DRAIN_MS: String(DRAIN_MS) });
    const users = texts(20).map(() => fixture.user());
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    const startedAt = performance.now();
    const stopped = gateway.stop();
    const ends = await Promise.all(
      clients.map(async (client) => {
        const { reconnectAfterMs } = await client.nextOf('goodbye');
        const { code } = await client.closed;
        return { code, reconnectAfterMs, atMs: performance.now() - startedAt };
      }),
    );
    await stopped;
    expect(performance.now() - startedAt).toBeLessThan(DRAIN_MS + 1_000);
    expect(ends.map(({ code }) => code)).toEqual(users.map(() => 1012));
    for (const { reconnectAfterMs } of ends) {
      expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
      expect(reconnectAfterMs).toBeLessThanOrEqual(DRAIN_MS);
    }
    expect(new Set(ends.map(({ reconnectAfterMs }) => reconnectAfterMs)).size).toBeGreaterThan(10);
    const times = ends.map(({ atMs }) => atMs);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(DRAIN_MS / 4);

    // Nothing is left behind.
    expect(await gateway.metric('connections')).toBe(0);
    for (const user of users) {
      expect(await fixture.presence(user)).toEqual({});
      const { gateway: holder, lastSeenAt } = await fixture.device(user);
      expect(holder).toBeNull();
      expect(Date.now() - (lastSeenAt?.getTime() ?? 0)).toBeLessThan(10_000);
    }
    expect(await fixture.leases()).not.toContain(fixture.keys.lease(gateway.id ?? ''));
    await expect(gateway.connect(fixture.user())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('§5: refuses new upgrades with 503 meanwhile, and says goodbye to those that were being opened', async () => {
    const gateway = await fixture.start({ DRAIN_MS: String(DRAIN_MS) });
    const clients = await Promise.all(texts(5).map(() => gateway.connectLive(fixture.user())));
    const opening = gateway.connect(fixture.user());
    const stopped = gateway.stop();
    expectProblem(await refusalOf(gateway.connect(fixture.user())), 503, 'draining');
    const opened = await opening.catch(() => null);
    for (const client of [...clients, ...(opened === null ? [] : [opened])]) {
      expect((await client.closed).code).toBe(1012);
    }
    await stopped;
  });

  it('§5: commits what was acknowledged', async () => {
    const gateway = await fixture.start();
    const users = texts(10).map(() => fixture.user());
    await fixture.send('alice', users, texts(5));
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    for (const client of clients) {
      for (const seq of [1, 2, 3, 4, 5]) client.send({ type: 'ack', seq });
      client.send({ type: 'ping' });
    }
    await Promise.all(clients.map((client) => client.nextOf('pong'))); // received, perhaps not committed
    await gateway.stop();
    for (const user of users) expect((await fixture.device(user)).cursor).toBe(5);
  });

  it('§5: commits all that was acknowledged, also where that takes many statements', async () => {
    const [users, count] = [texts(45).map(() => fixture.user()), 256];
    const gateway = await fixture.start();
    for (let sent = 0; sent < count; sent += 32) await fixture.commit('alice', users, texts(32));
    const clients: TestClient[] = [];
    for (const user of users) clients.push(await gateway.connectLive(user));
    const unlock = await fixture.lockDevices();
    for (const client of clients) {
      client.send({ type: 'ack', seq: count });
      client.send({ type: 'ping' });
    }
    await Promise.all(clients.map((client) => client.nextOf('pong')));
    const stopped = gateway.stop();
    await Promise.all(clients.map(({ closed }) => closed));
    await unlock();
    await stopped;
    const cursors = await Promise.all(users.map(async (user) => (await fixture.device(user)).cursor));
    expect(cursors).toEqual(users.map(() => count));
  });

  it('§5: commits what Postgres could not take before the stop, and not at first during it', async () => {
    const gateway = await fixture.start();
    const user = fixture.user();
    await fixture.send('alice', user, texts(3));
    const client = await gateway.connectLive(user);
    const unlock = await fixture.lockDevices();
    client.send({ type: 'ack', seq: 3, ref: 1 });
    expect(await client.nextOf('error')).toMatchObject({ ref: 1, code: 'unavailable' });
    const stopped = gateway.stop();
    expect((await client.closed).code).toBe(1012);
    // Both, the acknowledgement and the end of the connection, have failed again by then.
    await eventually('tried', async () => (await gateway.metric('store_errors_total')) >= 3);
    await unlock();
    await stopped;
    const { cursor, gateway: holder, lastSeenAt } = await fixture.device(user);
    expect([cursor, holder]).toEqual([3, null]);
    expect(lastSeenAt).not.toBeNull();
    expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('§5: waits no more than 2 s for a peer that does not answer the close', async () => {
    const gateway = await fixture.start();
    const user = fixture.user();
    const silent = await RawClient.open(gateway.port, user);
    const startedAt = performance.now();
    await gateway.stop();
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(await silent.closeCode()).toBe(1012);
    await silent.ended;
  });

  it.each(['blackhole', 'reset'] as const)(
    'ends in time although Postgres and Redis are gone (%s)',
    async (mode) => {
      const proxies = [await FaultProxy.open(fixture.database.url), await FaultProxy.open(fixture.redis.url)];
      const [postgres, redis] = proxies;
      const gateway = await fixture.start({
        DATABASE_URL: postgres?.through(fixture.database.url),
        REDIS_URL: redis?.through(fixture.redis.url),
      });
      const client = await gateway.connectLive(fixture.user());
      for (const proxy of proxies) proxy.mode = mode;
      const startedAt = performance.now();
      await gateway.stop();
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect((await client.closed).code).toBe(1012);
      expect(gateway.lines.map(({ message }) => message)).toContain(
        'stopped before Postgres took what was acknowledged',
      );
      for (const proxy of proxies) await proxy.close();
    },
  );

  it('leaves no timer and no socket behind', async () => {
    let before: string[] = [];
    await eventually('what others left is gone', async () => {
      const now = handles();
      const isSame = now.length === before.length;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return isSame;
    });
    const gateway = await fixture.start();
    const users = texts(20).map(() => fixture.user());
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    await fixture.send('alice', users, texts(3));
    await Promise.all(clients.map((client) => client.nextOf('message')));
    for (const client of clients.slice(0, 10)) client.terminate();
    await gateway.stop();
    await Promise.all(clients.map(({ closed }) => closed));
    await eventually('nothing is left', () => handles().length <= before.length);
  });
});

/** What keeps the process alive. */
function handles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind.startsWith('TCP'));
}
