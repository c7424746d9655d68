import { eventually, holdLocks, type RefusedError, type TestClient, whenBlocked } from '@posthorn/testing';
import { GatewayFixture, refusalOf, type TestGateway } from './gateway.fixture';
import { RawClient } from './raw-client.fixture';

/** Each claims a device that is connected, and comes to nothing. */
describe('a connect that is given up while its device is being claimed', () => {
  let fixture: GatewayFixture;
  let a: TestGateway;
  let b: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    [a, b] = [await fixture.start(), await fixture.start()];
  });
  afterAll(() => fixture.close());

  /** The refusal of a connect whose time runs out while the device is locked. */
  async function refusalByTime(gateway: TestGateway, user: string): Promise<RefusedError> {
    const { settings } = gateway;
    const usual = settings.upgradeTimeoutMs;
    settings.upgradeTimeoutMs = 300;
    const refused = await refusalOf(gateway.connect(user));
    settings.upgradeTimeoutMs = usual;
    return refused;
  }

  /** The connection is the device's own: its acknowledgement is taken, and nobody ends it. */
  async function expectAlive(client: TestClient, user: string, fence: number): Promise<void> {
    await fixture.send('alice', user, ['still here']);
    const { seq } = await client.nextOf('message');
    client.send({ type: 'ack', seq, ref: 'ack' });
    expect(await client.nextOf('ok')).toEqual({ type: 'ok', ref: 'ack' });
    expect(await fixture.device(user)).toMatchObject({ cursor: seq, fence, gateway: a.id });
  }

  it.each([
    ['the same', () => a],
    ['another', () => b],
  ])('§5: by its time, which is a 503: the living connection goes on, on %s gateway', async (_, where) => {
    const user = fixture.user();
    const living = await a.connectLive(user);
    const unlock = await fixture.lockDevice(user);
    expect((await refusalByTime(where(), user)).status).toBe(503);
    await unlock();
    await eventually('undone', async () => (await fixture.device(user)).gateway === a.id);
    await expectAlive(living, user, 1);
  });

  it.each([
    ['the same', () => a],
    ['another', () => b],
  ])('§5: by its client: the living connection goes on, on %s gateway', async (_, where) => {
    const user = fixture.user();
    const living = await a.connectLive(user);
    const unlock = await fixture.lockDevice(user);
    const client = await RawClient.upgrade(where().port, user);
    await whenBlocked(fixture.database);
    client.socket.resetAndDestroy();
    await client.ended;
    // Seen by the gateway: it counts one connection of its own less.
    await eventually('given up', async () => {
      const counts = Object.entries(await fixture.presence(user)).filter(([, count]) => count !== '0');
      expect(counts).toEqual([[a.id, '1']]);
      return true;
    });
    await unlock();
    await eventually('undone', async () => {
      const { fence, gateway } = await fixture.device(user);
      return fence === 1 && gateway === a.id;
    });
    await expectAlive(living, user, 1);
  });

  it('§5: several of them, on two gateways and one over the other, leave the living connection as it was', async () => {
    const user = fixture.user();
    const living = await a.connectLive(user);
    const unlock = await fixture.lockDevice(user);
    for (const { settings } of [a, b]) settings.upgradeTimeoutMs = 300;
    const refusals = await Promise.all([a, b, a, b].map((gateway) => refusalOf(gateway.connect(user))));
    for (const { settings } of [a, b]) settings.upgradeTimeoutMs = 60_000;
    expect(refusals.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    await unlock();
    await eventually('undone', async () => {
      const { fence, gateway } = await fixture.device(user);
      return fence === 1 && gateway === a.id;
    });
    await expectAlive(living, user, 1);
  });

  it('§5: an ack that came under a claim which is undone is committed after all', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, ['one']);
    const living = await a.connectLive(user);
    await fixture.database.query('UPDATE device SET fence = 2 WHERE user_id = $1', [user]);
    const unlock = await holdLocks(fixture.database, 'LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE');
    living.send({ type: 'ack', seq: 1, ref: 'ack' });
    await whenBlocked(fixture.database); // refused: reconcile asks which of the two it is
    await fixture.database.query('UPDATE device SET fence = 1 WHERE user_id = $1', [user]);
    await unlock();
    expect(await living.nextOf('ok')).toEqual({ type: 'ok', ref: 'ack' });
    expect((await fixture.device(user)).cursor).toBe(1);
  });

  it('§5: one that takes over after that does so as ever', async () => {
    const user = fixture.user();
    const living = await a.connectLive(user);
    const unlock = await fixture.lockDevice(user);
    await refusalByTime(b, user);
    await unlock();
    const newer = await b.connectLive(user);
    expect((await living.closed).code).toBe(4509);
    await fixture.send('alice', user, ['to the newer']);
    newer.send({ type: 'ack', seq: (await newer.nextOf('message')).seq, ref: 1 });
    await newer.nextOf('ok');
  });

  it('§6: a new device that was refused is forgotten: it keeps nothing in the offline list', async () => {
    const narrow = await fixture.start({ MAX_CONNECTIONS_PER_USER: '1' });
    const user = fixture.user();
    await fixture.send('alice', user, ['one', 'two']);
    const first = await narrow.connectLive(user, { device: 'first' });
    expect((await refusalOf(narrow.connect(user, { device: 'second' }))).status).toBe(429);
    first.send({ type: 'ack', seq: 2, ref: 1 });
    await first.nextOf('ok');
    await eventually('trimmed', async () => (await fixture.listed(user)).length === 0);
    const devices = await fixture.database.query('SELECT device FROM device WHERE user_id = $1', [user]);
    expect(devices).toEqual([{ device: 'first' }]);
  });
});
