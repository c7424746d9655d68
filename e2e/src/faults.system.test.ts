import { eventually, redisKinds, type TestClient } from '@posthorn/testing';
import { World } from './fixture';

describe.each(redisKinds)('whatever dies in between, Redis: %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.start({ ownRedis: kind, patientWith: ['postgres'] });
  });

  afterAll(() => world.stop());

  /** A user's only device, caught up. */
  async function connect(user: string, gateway = 0): Promise<TestClient> {
    const client = await world.connect(user, {}, gateway);
    await client.nextOf('caughtUp');
    return client;
  }

  it('§1, §6: FLUSHALL with a connected user: presence heals, nobody is disconnected, nothing is lost', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const client = await connect(bob);
    await world.ownRedis?.wipe();
    await world.send(alice, bob, 'into the hole');
    expect(await client.nextOf('message')).toMatchObject({ seq: 1 });
    await eventually('online again', () => world.isOnline(bob));
    await world.send(alice, bob, 'live again');
    expect(await client.nextOf('message')).toMatchObject({ seq: 2 });
    expect(client.socket.readyState).toBe(1);
  });

  it('§1, §4: the Redis that serves a user hangs while sending: every send is a 201 without it, and arrives by reconcile', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const client = await connect(bob);
    await world.send(alice, bob, 'before');
    await client.nextOf('message');

    const server = await world.ownRedis?.serverOf(`${world.redis.prefix}{${bob}}:presence`);
    server?.signal('SIGSTOP');
    // It hangs until the last of them is answered: none has waited for it.
    for (let n = 0; n < 10; n++) await world.send(alice, bob, `hung ${n}`);
    for (let n = 0; n < 10; n++) expect(await client.nextOf('message')).toMatchObject({ seq: n + 2 });
    // Upgrades work, too: delivery then comes from Postgres.
    const other = await world.connect(bob, { device: 'other' }, 1);
    for (let n = 1; n <= 11; n++) expect(await other.nextOf('message')).toMatchObject({ seq: n });
    server?.signal('SIGCONT');
    await eventually('online again', () => world.isOnline(bob));
    await world.send(alice, bob, 'live again');
    expect(await client.nextOf('message')).toMatchObject({ seq: 12 });
    expect(client.socket.readyState).toBe(1);
  });

  it('§1, §6: a gateway killed with -9: its users are offline soon and get everything elsewhere', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const first = await connect(bob);
    await world.send(alice, bob, '1');
    await first.nextOf('message');
    expect(await world.isOnline(bob)).toBe(true);

    world.gateways[0]?.kill('SIGKILL');
    expect((await first.closed).code).toBe(1006);
    await world.send(alice, bob, '2');
    await eventually('offline', async () => !(await world.isOnline(bob)));
    await world.send(alice, bob, '3');

    const second = await world.connect(bob, {}, 1);
    expect(await second.next()).toMatchObject({ type: 'welcome', after: 0, lastSeq: 3 });
    for (let n = 1; n <= 3; n++)
      expect(await second.nextOf('message')).toMatchObject({ seq: n, message: { text: `${n}` } });
    expect(await second.next()).toEqual({ type: 'caughtUp', seq: 3 });
  });

  it('§1, §6: a gateway that stands still for longer than its lease: offline meanwhile, and then all arrives on the same connection', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const client = await connect(bob, 1);
    const paused = world.gateways[1];
    paused?.kill('SIGSTOP');
    try {
      await world.send(alice, bob, '1');
      await eventually('offline', async () => !(await world.isOnline(bob)));
      for (let n = 2; n <= 5; n++) await world.send(alice, bob, `${n}`);
    } finally {
      paused?.kill('SIGCONT');
    }
    for (let n = 1; n <= 5; n++)
      expect(await client.nextOf('message')).toMatchObject({ seq: n, message: { text: `${n}` } });
    await eventually('online again', () => world.isOnline(bob));
    await world.send(alice, bob, 'live again');
    expect(await client.nextOf('message')).toMatchObject({ seq: 6 });
    client.send({ type: 'ack', seq: 6, ref: 'ack' });
    expect(await client.nextOf('ok')).toEqual({ type: 'ok', ref: 'ack' });
  });
});

describe('a send-api that dies after the commit and before routing', () => {
  it('§1: the message arrives within the reconcile interval', async () => {
    const world = await World.start({ patientWith: ['postgres'] });
    try {
      const [alice, bob] = [world.user('alice'), world.user('bob')];
      const client = await world.connect(bob, {}, 0);
      await client.nextOf('caughtUp');
      // What such a death leaves behind: a committed message that nobody routed.
      const time = Date.now().toString(16).padStart(12, '0');
      const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000001`;
      await world.database.query(`
      WITH m AS (INSERT INTO message (id, sender, recipients, text, created_at)
                 VALUES ('${id}', '${alice}', '{"${bob}"}', 'never routed', now()) RETURNING id),
           i AS (INSERT INTO inbox (user_id, newest_seq) VALUES ('${bob}', 1) RETURNING user_id)
      INSERT INTO inbox_entry (user_id, seq, message_id) SELECT i.user_id, 1, m.id FROM m, i`);
      expect(await client.nextOf('message')).toMatchObject({ seq: 1, message: { id } });
      expect(await world.gatewayMetric('posthorn_reconcile_repairs_total')).toBe(1);
    } finally {
      await world.stop();
    }
  });
});
