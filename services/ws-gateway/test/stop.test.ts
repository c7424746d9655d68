import { eventually, FaultProxy, HANG_MS, type TestClient } from '@posthorn/testing';
import { expectProblem, GatewayFixture, impatientOfLocks, refusalOf, texts } from './gateway.fixture';
import { RawClient } from './raw-client.fixture';

/** Long enough for a connect that comes after the stop has begun. */
const DRAIN_MS = 4_000;

describe('a stop, as SIGTERM begins it', () => {
  let fixture: GatewayFixture;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
  });
  afterAll(() => fixture.close());

  it('leaves no timer and no socket behind', async () => {
    const users = texts(20).map(() => fixture.user());
    // The connections of the fixture are open before they are counted.
    await fixture.send('alice', users, texts(3));
    const before = handles();
    const gateway = await fixture.start();
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    await fixture.send('alice', users, ['live']);
    await Promise.all(clients.map((client) => eventually('live', () => client.all('message').length === 4)));
    for (const client of clients.slice(0, 10)) client.terminate();
    await gateway.stop();
    await Promise.all(clients.map(({ closed }) => closed));
    await eventually('nothing is left', () => handles().length <= before.length);
  });

  it('§5: sends every connection goodbye and 1012, with times to come back that differ, and refuses new ones with 503', async () => {
    const gateway = await fixture.start({ DRAIN_MS: String(DRAIN_MS) });
    const users = texts(20).map(() => fixture.user());
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    const opening = gateway.connect(fixture.user());
    const startedAtMs = Date.now();
    const stopped = gateway.stop();
    const refusal = refusalOf(gateway.connect(fixture.user()));
    const ends = await Promise.all(
      clients.map(async (client) => {
        const { reconnectAfterMs } = await client.nextOf('goodbye');
        const { code } = await client.closed;
        return { code, reconnectAfterMs };
      }),
    );
    const refused = await refusal;
    expectProblem(refused, 503, 'draining');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const opened = await opening.catch(() => null);
    if (opened !== null) expect((await opened.closed).code).toBe(1012);
    await stopped;
    expect(ends.map(({ code }) => code)).toEqual(users.map(() => 1012));
    for (const { reconnectAfterMs } of ends) {
      expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
      expect(reconnectAfterMs).toBeLessThanOrEqual(DRAIN_MS);
    }
    expect(new Set(ends.map(({ reconnectAfterMs }) => reconnectAfterMs)).size).toBeGreaterThan(10);

    // Nothing is left behind.
    expect(await gateway.metric('connections')).toBe(0);
    for (const user of users) {
      expect(await fixture.presence(user)).toEqual({});
      const { gateway: holder, lastSeenAt } = await fixture.device(user);
      expect(holder).toBeNull();
      expect(lastSeenAt?.getTime()).toBeGreaterThanOrEqual(startedAtMs);
    }
    expect(await fixture.leases()).not.toContain(fixture.keys.lease(gateway.id ?? ''));
    await expect(gateway.connect(fixture.user())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
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
    const [users, count] = [texts(3).map(() => fixture.user()), 12_000];
    const gateway = await fixture.start();
    await fixture.commit('alice', users, ['old']);
    // Of the others nothing is kept: the cursor moves over them all the same.
    await fixture.database.query('UPDATE inbox SET newest_seq = $1 WHERE user_id = ANY ($2)', [count, users]);
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
    const gateway = await fixture.start({}, impatientOfLocks);
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
    // Waiting for the peer would take all the time that the stop is given.
    expect(performance.now() - startedAt).toBeLessThan(HANG_MS / 2);
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
      await gateway.stop(2_000);
      expect((await client.closed).code).toBe(1012);
      await eventually('a word of what was not written', () =>
        gateway.lines.some(({ message }) => message === 'stopped before everything was written to Postgres'),
      );
      for (const proxy of proxies) await proxy.close();
    },
  );
});

/** What keeps the process alive. */
function handles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind.startsWith('TCP'));
}
