import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareInboxes } from '@posthorn/inbox';
import { type RedisServer, startRedis } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { GatewayFixture, seqsOf, type TestGateway, texts } from './gateway.fixture';

// As it is; only its calls are counted.
jest.mock('@posthorn/inbox', () => ({
  ...actualInbox(),
  compareInboxes: jest.fn(actualInbox().compareInboxes),
}));

function actualInbox(): typeof import('@posthorn/inbox') {
  return jest.requireActual('@posthorn/inbox');
}

const INTERVAL_MS = 400;

/** On a Redis of its own, whose subscriptions may be cut. */
describe('reconcile', () => {
  let dir: string;
  let server: RedisServer;
  let fixture: GatewayFixture;
  let frequent: TestGateway;
  let rare: TestGateway;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'posthorn-reconcile-'));
    server = await startRedis({ dir });
    fixture = await GatewayFixture.open(server.url);
    frequent = await fixture.start({ RECONCILE_INTERVAL_MS: String(INTERVAL_MS) });
    rare = await fixture.start();
  });
  afterAll(async () => {
    await fixture.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('§1: repairs nothing without faults, however much is sent', async () => {
    const user = fixture.user();
    const client = await frequent.connectLive(user, { ack: 'auto' });
    jest.mocked(compareInboxes).mockClear();
    for (let sent = 0; jest.mocked(compareInboxes).mock.calls.length < 3; ) {
      sent += 10;
      await fixture.send('alice', user, texts(10));
      await eventually('all here', () => client.all('message').length === sent);
    }
    expect(await frequent.metric('reconcile_repairs_total')).toBe(0);
    expect(await frequent.metric('gap_fills_total')).toBe(0);
  });

  it('§1: a message whose routing was lost altogether arrives at the next round, and is counted', async () => {
    const user = fixture.user();
    const client = await frequent.connectLive(user);
    await fixture.commit('alice', user, texts(3, 'lost'));
    await eventually('all here', () => client.all('message').length === 3);
    expect(seqsOf(client.frames)).toEqual([1, 2, 3]);
    expect(await frequent.metric('reconcile_repairs_total')).toBe(3);
  });

  it('§1: the last of many, lost, arrives although nothing later shows the hole', async () => {
    const user = fixture.user();
    const client = await frequent.connectLive(user);
    await fixture.send('alice', user, texts(10));
    await fixture.commit('alice', user, ['tail']);
    await eventually('all here', () => client.all('message').length === 11);
    expect(client.all('message').at(-1)?.message.text).toBe('tail');
  });

  it('§6: what it finds is evidence: presence that Redis lost in part is said again', async () => {
    const user = fixture.user();
    const client = await frequent.connectLive(user);
    await fixture.redis.client.del(fixture.keys.presence(user));
    await fixture.send('alice', user, ['to the list']);
    expect((await client.nextOf('message')).message.text).toBe('to the list');
    await eventually('presence', async () => (await fixture.presence(user))[frequent.id ?? ''] === '1');
  });

  it('§1: runs at once when the subscription comes back', async () => {
    const users = [fixture.user(), fixture.user()];
    const clients = await Promise.all(users.map((user) => rare.connectLive(user)));
    for (const user of users) await fixture.commit('alice', user, ['lost']);
    expect(await fixture.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(2);
    for (const client of clients) expect((await client.nextOf('message')).message.text).toBe('lost');
    await fixture.send('alice', users, ['live again']);
    for (const client of clients) expect((await client.nextOf('message')).message.text).toBe('live again');
  });

  it('§2: a new epoch sends connections away with goodbye and 1012; they are reset when they come back', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(2));
    const client = await frequent.connect(user);
    const { epoch } = await client.nextOf('welcome');
    await client.nextOf('caughtUp');
    await fixture.database.query('UPDATE epoch SET epoch = $1', ['renewed']);
    expect(await client.nextOf('goodbye')).toEqual({ type: 'goodbye', reconnectAfterMs: 0 });
    expect((await client.closed).code).toBe(1012);
    const again = await frequent.connect(user, { after: '2', epoch });
    expect(await again.next()).toMatchObject({ type: 'welcome', epoch: 'renewed', after: 0, reset: true });
    await again.nextOf('caughtUp');
    expect(seqsOf(again.frames)).toEqual([1, 2]);
  });

  it('§2: an ack right after a restore is refused with 1012, as by the next reconcile, and does not keep the client away', async () => {
    const hasty = await fixture.start({ RECONCILE_INTERVAL_MS: '60000', DRAIN_MS: '0' });
    const user = fixture.user();
    await fixture.send('alice', user, texts(1));
    const client = await hasty.connectLive(user);
    // What a restore leaves: a new epoch, and no trace of the device.
    await fixture.database.query('UPDATE epoch SET epoch = $1', ['restored']);
    await fixture.database.query('DELETE FROM device WHERE user_id = $1', [user]);
    client.send({ type: 'ack', seq: 1, ref: 'a' });
    expect((await client.closed).code).toBe(1012);
    expect(client.all('ok')).toEqual([]);
  });

  it('§5.1: a newer claim that is undone again ends nobody, also where an ack met it', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(1));
    const client = await rare.connectLive(user);
    // What a connect that is given up does to the row: it is undone between the two looks of reconcile.
    await fixture.database.query('UPDATE device SET fence = fence + 1 WHERE user_id = $1', [user]);
    let looks = 0;
    jest.mocked(compareInboxes).mockImplementation(async (db, sessions) => {
      if (sessions.some((session) => session.user === user) && ++looks === 2)
        await fixture.database.query('UPDATE device SET fence = fence - 1 WHERE user_id = $1', [user]);
      return await actualInbox().compareInboxes(db, sessions);
    });
    client.send({ type: 'ack', seq: 1, ref: 'met it' });
    await eventually('committed', async () => (await fixture.device(user)).cursor === 1);
    expect(looks).toBeGreaterThanOrEqual(2);
    expect(client.socket.readyState).toBe(1);
  });
});
