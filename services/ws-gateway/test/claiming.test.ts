import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareInboxes } from '@posthorn/inbox';
import { type RedisServer, startRedis } from '@posthorn/stack';
import { eventually, RefusedError, whenBlocked } from '@posthorn/testing';
import { expectProblem, GatewayFixture, seqsOf, type TestGateway, texts } from './gateway.fixture';

// As it is; only its calls are counted.
jest.mock('@posthorn/inbox', () => {
  const actual = jest.requireActual<typeof import('@posthorn/inbox')>('@posthorn/inbox');
  return { ...actual, compareInboxes: jest.fn(actual.compareInboxes) };
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
    ['before the claim reads the inbox', () => fixture.lockDevices(), [1]],
    // Where the row stays locked for longer, the claim reads the inbox again.
    ['after the claim has read the inbox', (user: string) => fixture.lockDevice(user), [0, 1]],
  ])('§1: what is committed and published %s comes once, in its turn', async (_, lock, lastSeqs) => {
    const user = await knownUser();
    const unlock = await lock(user);
    const connecting = gateway.connect(user);
    await whenBlocked(fixture.database);
    expect(await fixture.presence(user)).toEqual({ [gateway.id ?? '']: '1' });
    await fixture.send('alice', user, ['meanwhile']);
    expect(await fixture.listed(user)).toEqual([]); // published, not listed
    await unlock();
    const client = await connecting;
    expect(lastSeqs).toContain((await client.nextOf('welcome')).lastSeq);
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
    await fixture.commit('alice', user, ['lost']);
    const rounds = jest.mocked(compareInboxes).mock.calls.length;
    await fixture.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually('a round', () => jest.mocked(compareInboxes).mock.calls.length > rounds);
    await unlock();
    const client = await connecting;
    expect((await client.nextOf('message')).message.text).toBe('lost');
    bystander.terminate();
  });

  it('§5: beyond as many as may wait, connects get 503 `overloaded` at once, and are served when there is room', async () => {
    const small = await fixture.start({}, { maxWaitingClaims: 2 });
    const unlock = await fixture.lockDevices();
    const refused: RefusedError[] = [];
    const connecting = texts(10).map(async () => {
      const refusal = await refusalOrNull(small.connect(fixture.user()));
      if (refusal !== null) refused.push(refusal);
    });
    await eventually('all but two are refused', () => refused.length === 8);
    for (const each of refused) {
      expectProblem(each, 503, 'overloaded');
      expect(Number(each.headers['retry-after'])).toBeGreaterThan(0);
    }
    await unlock();
    await Promise.all(connecting);
    expect(refused).toHaveLength(8);
    await small.connectLive(fixture.user());
  });
});

async function refusalOrNull(connecting: Promise<unknown>): Promise<RefusedError | null> {
  try {
    await connecting;
    return null;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}
