import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimDevices } from '@posthorn/inbox';
import { type RedisServer, startRedis } from '@posthorn/stack';
import { eventually, whenBlocked } from '@posthorn/testing';
import { expectProblem, GatewayFixture, refusalOf, seqsOf, type TestGateway, texts } from './gateway.fixture';

// As it is; only its calls are counted.
jest.mock('@posthorn/inbox', () => {
  const actual = jest.requireActual<typeof import('@posthorn/inbox')>('@posthorn/inbox');
  return { ...actual, claimDevices: jest.fn(actual.claimDevices) };
});

/** On a Redis of its own, whose subscriptions may be cut. */
describe('while a device is being claimed', () => {
  let dir: string;
  let server: RedisServer;
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'posthorn-claiming-'));
    server = await startRedis({ dir });
    fixture = await GatewayFixture.open(server.url);
    gateway = await fixture.start();
  });
  afterAll(async () => {
    await fixture.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** A device that was connected before, so that there is a row to wait for. */
  async function knownUser(): Promise<string> {
    const user = fixture.user();
    await (await gateway.connectLive(user)).close();
    return user;
  }

  it.each([
    ['before the claim reads the inbox', () => fixture.lockDevices(), 1],
    ['after the claim has read the inbox', (user: string) => fixture.lockDevice(user), 0],
  ])('§1: what is committed and published %s comes once, in its turn', async (_, lock, lastSeq) => {
    const user = await knownUser();
    const unlock = await lock(user);
    const connecting = gateway.connect(user);
    await whenBlocked(fixture.database);
    expect(await fixture.presence(user)).toEqual({ [gateway.id ?? '']: '1' });
    await fixture.send('alice', user, ['meanwhile']);
    expect(await fixture.listed(user)).toEqual([]); // published, not listed
    await unlock();
    const client = await connecting;
    expect(await client.next()).toMatchObject({ type: 'welcome', lastSeq });
    await client.nextOf('caughtUp');
    await fixture.send('alice', user, ['after']);
    await eventually('all here', () => seqsOf(client.frames).length === 2);
    expect(client.all('message').map(({ message }) => message.text)).toEqual(['meanwhile', 'after']);
  });

  it('§1: what was lost with the subscription comes as soon as the connection is open, not at the next reconcile', async () => {
    const user = await knownUser();
    const bystander = await gateway.connectLive(fixture.user());
    const unlock = await fixture.lockDevice(user);
    const connecting = gateway.connect(user);
    await whenBlocked(fixture.database);
    await fixture.commit('alice', [user, bystander.all('welcome')[0]?.user ?? ''], ['lost']);
    await fixture.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await bystander.nextOf('message'); // the round that the return of the subscription began is through
    await unlock();
    const client = await connecting;
    expect((await client.nextOf('message')).message.text).toBe('lost');
  });

  it('§5: connects that wait are claimed together', async () => {
    const users = texts(60).map(() => fixture.user());
    const unlock = await fixture.lockDevices();
    jest.mocked(claimDevices).mockClear();
    const connecting = users.map((user) => gateway.connect(user));
    await whenBlocked(fixture.database, 2);
    await eventually('all announced', async () => (await gateway.metric('connections')) >= users.length);
    await unlock();
    const clients = await Promise.all(connecting);
    expect(jest.mocked(claimDevices).mock.calls.length).toBeLessThan(20);
    for (const client of clients) client.terminate();
  });

  it('§5: beyond as many as may wait, connects get 503 `overloaded` at once; those that wait are served', async () => {
    const small = await fixture.start({}, 2);
    const unlock = await fixture.lockDevices();
    const waiting = [small.connect(fixture.user()), small.connect(fixture.user())];
    await whenBlocked(fixture.database);
    const refused = await eventually('full', async () => {
      const refusal = await refusalOf(small.connect(fixture.user()));
      return refusal.body.includes('overloaded') && refusal;
    });
    expectProblem(refused, 503, 'overloaded');
    await unlock();
    for (const client of await Promise.all(waiting)) await client.nextOf('caughtUp');
    await small.connectLive(fixture.user());
  });
});
