import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@posthorn/runtime';
import { type RedisServer, startRedis } from '@posthorn/stack';
import { eventually, FaultProxy, type TestClient } from '@posthorn/testing';
import { GatewayFixture, type TestGateway, texts } from './gateway.fixture';
import { RawClient } from './raw-client.fixture';

const RENEW_MS = 200;

/** On a Redis of its own, which may be wiped. */
describe('presence', () => {
  let dir: string;
  let server: RedisServer;
  let fixture: GatewayFixture;
  let a: TestGateway;
  let b: TestGateway;
  let aId: string;
  let bId: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'posthorn-presence-'));
    server = await startRedis({ dir });
    fixture = await GatewayFixture.open(server.url);
    [a, b] = [await start(), await start()];
    [aId, bId] = [a.id ?? '', b.id ?? ''];
  });
  afterAll(async () => {
    await fixture.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Renews its lease often, which is when it notices what Redis lost. */
  function start(env: Environment = {}): Promise<TestGateway> {
    return fixture.start(env, { leaseRenewMs: RENEW_MS });
  }

  /** Waits until the presence hash of `user` is exactly this. */
  async function expectPresence(user: string, presence: Record<string, string>): Promise<void> {
    await eventually(JSON.stringify(presence), async () => {
      expect(await fixture.presence(user)).toEqual(presence);
      return true;
    });
  }

  it('§6: is a hash of gateway id and count, absolute, with a life of 24 h, under a lease of 15 s at most', async () => {
    const user = fixture.user();
    const key = `${fixture.redis.prefix}{${user}}:presence`;
    const clients: TestClient[] = [];
    for (const device of texts(3)) clients.push(await a.connect(user, { device }));
    await b.connect(user, { device: 'elsewhere' });
    await expectPresence(user, { [aId]: '3', [bId]: '1' });
    expect(await fixture.redis.client.type(key)).toBe('hash');
    const ttl = await fixture.redis.client.ttl(key);
    expect(ttl).toBeGreaterThan(86_000);
    expect(ttl).toBeLessThanOrEqual(86_400);
    const leaseMs = await fixture.redis.client.pttl(`${fixture.redis.prefix}gateway:${aId}`);
    expect(leaseMs).toBeGreaterThan(0);
    expect(leaseMs).toBeLessThanOrEqual(15_000);

    await clients.pop()?.close();
    await expectPresence(user, { [aId]: '2', [bId]: '1' });
    for (const client of clients) client.terminate();
    await expectPresence(user, { [bId]: '1' });
  });

  it('§6: a count that somebody changed is set right by the next connect, not added to', async () => {
    const user = fixture.user();
    await a.connect(user, { device: 'one' });
    await fixture.redis.client.hset(fixture.keys.presence(user), aId, '17');
    await a.connect(user, { device: 'two' });
    await expectPresence(user, { [aId]: '2' });
  });

  it('§6: a clean stop removes the presence and the lease at once', async () => {
    const stopping = await start();
    const user = fixture.user();
    await stopping.connectLive(user);
    expect(Object.keys(await fixture.presence(user))).toEqual([stopping.id]);
    await stopping.stop();
    expect(await fixture.presence(user)).toEqual({});
    expect(await fixture.leases()).not.toContain(fixture.keys.lease(stopping.id ?? ''));
  });

  it('§6: a late close of an old socket does not remove the presence of the new one, here or elsewhere', async () => {
    const user = fixture.user();
    const old = await RawClient.open(a.port, user);
    await a.connectLive(user);
    expect(await old.closeCode()).toBe(4509);
    await expectPresence(user, { [aId]: '1' });
    old.socket.destroy();

    const older = await RawClient.open(a.port, user, '?device=x');
    const newer = await b.connectLive(user, { device: 'x' });
    expect(await older.closeCode()).toBe(4509);
    await expectPresence(user, { [aId]: '1', [bId]: '1' });
    older.socket.destroy();
    await fixture.send('alice', user, ['still here']);
    expect((await newer.nextOf('message')).message.text).toBe('still here');
    await expectPresence(user, { [aId]: '1', [bId]: '1' });
  });

  it('§6: a gateway that is believed to hold a user whom it does not hold says so', async () => {
    const user = fixture.user();
    await fixture.redis.client.hset(fixture.keys.presence(user), aId, '1');
    await fixture.send('alice', user, ['to nobody']);
    await expectPresence(user, {});
    const client = await b.connectLive(user);
    expect(client.all('message')).toHaveLength(1);
  });

  it('§6: a wipe of Redis is healed within seconds without a disconnect, and what was lost in it arrives', async () => {
    const [users, clients] = [[fixture.user(), fixture.user()], [] as TestClient[]];
    for (const user of users) clients.push(await a.connectLive(user));
    await fixture.redis.client.flushall();
    for (const user of users) await fixture.send('alice', user, ['lost with the wipe']);
    for (const [index, user] of users.entries()) {
      expect((await clients[index]?.nextOf('message'))?.message.text).toBe('lost with the wipe');
      await expectPresence(user, { [aId]: '1' });
    }
    for (const client of clients) expect(client.socket.readyState).toBe(client.socket.OPEN);
    expect(await fixture.redis.client.exists(fixture.keys.lease(aId))).toBe(1);
  });

  it('§6: a gateway whose lease ran out while it stood still says everything again', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    // As another process may do that read the lease as gone.
    await fixture.redis.client.del(fixture.keys.lease(aId), fixture.keys.presence(user));
    await fixture.send('alice', user, ['meanwhile']);
    expect((await client.nextOf('message')).message.text).toBe('meanwhile');
    await expectPresence(user, { [aId]: '1' });
  });

  it('§6: what Redis refuses to write for want of memory is written as soon as it takes it', async () => {
    const [user, left] = [fixture.user(), fixture.user()];
    // Among many others, so that no slow round comes to these users by chance.
    const others = await Promise.all(texts(10).map(() => a.connectLive(fixture.user())));
    const leaving = await a.connectLive(left);
    await fixture.redis.client.config('SET', 'maxmemory', '1');
    const client = await a.connectLive(user);
    await leaving.close();
    expect(await fixture.presence(user)).toEqual({});
    await fixture.redis.client.config('SET', 'maxmemory', '0');
    await expectPresence(user, { [aId]: '1' });
    await expectPresence(left, {});
    await fixture.send('alice', user, ['live']);
    expect((await client.nextOf('message')).message.text).toBe('live');
    for (const each of [...others, client]) each.terminate();
  });

  it('§6: idle connections cost Redis nothing: as many commands with forty as with none', async () => {
    const clients = await Promise.all(texts(40).map(() => a.connectLive(fixture.user())));
    // What earlier connections left to be said is said some time.
    await eventually('two renewals of each gateway, and nothing else', async () => {
      await fixture.redis.client.config('RESETSTAT');
      await eventually('two renewals of each gateway', async () => ((await commands())['set'] ?? 0) >= 4);
      const { evalsha = 0, hset = 0, hgetall = 0, expire = 0 } = await commands();
      return evalsha + hset + hgetall + expire === 0;
    });
    for (const client of clients) client.terminate();
  });

  /** How often Redis ran which command since RESETSTAT. */
  async function commands(): Promise<Record<string, number>> {
    const info = await fixture.redis.client.info('commandstats');
    return Object.fromEntries(
      [...info.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name = '', calls]) => [name, Number(calls)]),
    );
  }

  describe('while Redis is out of reach', () => {
    let proxies: [FaultProxy, FaultProxy];
    let c: TestGateway;
    let d: TestGateway;
    beforeAll(async () => {
      proxies = [await FaultProxy.open(server.url), await FaultProxy.open(server.url)];
      const env = { MAX_CONNECTIONS_PER_USER: '2' };
      c = await start({ ...env, REDIS_URL: proxies[0].through(server.url) });
      d = await start({ ...env, REDIS_URL: proxies[1].through(server.url) });
    });
    afterAll(async () => {
      await Promise.all([c, d].map((gateway) => gateway.stop()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
    });

    function setMode(mode: FaultProxy['mode']): void {
      for (const proxy of proxies) proxy.mode = mode;
    }

    it('§5: connects work, messages come from Postgres, and presence is written when Redis is back', async () => {
      setMode('reset');
      const user = fixture.user();
      await fixture.commit('alice', user, ['waiting']);
      const client = await c.connectLive(user);
      expect(client.all('message').map(({ message }) => message.text)).toEqual(['waiting']);
      expect(await c.readiness()).toMatchObject({
        ready: true,
        degraded: { redis: expect.any(String) as string },
      });
      await fixture.commit('alice', user, ['in the outage']);
      setMode('pass');
      await expectPresence(user, { [c.id ?? '']: '1' });
      expect((await client.nextOf('message')).message.text).toBe('in the outage');
      await fixture.send('alice', user, ['after it']);
      expect((await client.nextOf('message')).message.text).toBe('after it');
      await eventually('ready', async () => (await c.readiness()).degraded['redis'] === undefined);
    });

    it('§6: who left in the outage is withdrawn after it', async () => {
      const user = fixture.user();
      const client = await c.connectLive(user);
      setMode('reset');
      await client.close();
      expect(await fixture.presence(user)).toEqual({ [c.id ?? '']: '1' });
      setMode('pass');
      await expectPresence(user, {});
    });

    it.each([
      ['that comes back last', [0, 0, 1, 1]],
      ['each', [0, 1, 0, 1]],
      ['that came back first', [1, 1, 0, 0]],
    ])(
      '§5: the limit of connections is settled when Redis is back: the newest end with 1013, on the gateway %s',
      async (_, order) => {
        // Among many others, so that the slow round does not come to this user by chance.
        const others = await Promise.all(
          [c, d].flatMap((gateway) => texts(10).map(() => gateway.connectLive(fixture.user()))),
        );
        setMode('reset');
        const user = fixture.user();
        const clients: TestClient[] = [];
        for (const [index, which] of order.entries()) {
          const gateway = which === 0 ? c : d;
          clients.push(await gateway.connectLive(user, { device: `d${index + 1}` }));
        }
        proxies[0].mode = 'pass';
        await eventually(
          'the first is back',
          async () => c.id !== null && c.id in (await fixture.presence(user)),
        );
        proxies[1].mode = 'pass';
        const [first, second, third, fourth] = clients;
        expect((await third?.closed)?.code).toBe(1013);
        expect((await fourth?.closed)?.code).toBe(1013);
        for (const client of [first, second]) expect(client?.socket.readyState).toBe(client?.socket.OPEN);
        for (const client of [...clients, ...others]) client.terminate();
      },
    );

    it('§2: the limit is kept by each gateway for itself meanwhile', async () => {
      setMode('reset');
      const user = fixture.user();
      for (const device of ['one', 'two']) await c.connectLive(user, { device });
      await expect(c.connect(user, { device: 'three' })).rejects.toMatchObject({ status: 429 });
      setMode('pass');
    });

    it('§2: a gateway starts without Redis, and says everything once that is there', async () => {
      setMode('reset');
      const user = fixture.user();
      const late = await fixture.startWithoutRedis({ REDIS_URL: proxies[0].through(server.url) });
      const client = await late.connectLive(user);
      setMode('pass');
      const [id] = await eventually('announced', async () => {
        const ids = Object.keys(await fixture.presence(user));
        return ids.length === 1 && ids;
      });
      expect(await fixture.redis.client.exists(fixture.keys.lease(id ?? ''))).toBe(1);
      await fixture.send('alice', user, ['live']);
      expect((await client.nextOf('message')).message.text).toBe('live');
    });
  });
});
