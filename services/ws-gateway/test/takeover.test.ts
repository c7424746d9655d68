import { eventually, FaultProxy, type TestClient } from '@posthorn/testing';
import { GatewayFixture, type TestGateway, texts } from './gateway.fixture';

describe('a second connection of one device', () => {
  let fixture: GatewayFixture;
  let a: TestGateway;
  let b: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    [a, b] = [await fixture.start(), await fixture.start()];
  });
  afterAll(() => fixture.close());

  it('§5: takes over on the same gateway: the first closes with 4509, and what it had not acknowledged comes again', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(3));
    const first = await a.connectLive(user);
    first.send({ type: 'ack', seq: 1, ref: 1 });
    await first.nextOf('ok');
    const second = await a.connectLive(user);
    expect((await first.closed).code).toBe(4509);
    expect(second.all('message').map(({ seq }) => seq)).toEqual([2, 3]);
    second.send({ type: 'ack', seq: 3, ref: 2 });
    expect(await second.next()).toEqual({ type: 'ok', ref: 2 });
  });

  it('§5: takes over across gateways', async () => {
    const user = fixture.user();
    const first = await a.connectLive(user);
    const second = await b.connectLive(user);
    expect((await first.closed).code).toBe(4509);
    const third = await a.connectLive(user);
    expect((await second.closed).code).toBe(4509);
    await fixture.send('alice', user, ['to the third']);
    expect((await third.nextOf('message')).message.text).toBe('to the third');
    expect(await fixture.device(user)).toMatchObject({ fence: 3, gateway: a.id });
  });

  it('§5: another device of the user, or the same device of another user, is not concerned', async () => {
    const [user, other] = [fixture.user(), fixture.user()];
    const bystanders = [await a.connectLive(user, { device: 'other' }), await a.connectLive(other)];
    const first = await a.connectLive(user);
    await b.connectLive(user);
    expect((await first.closed).code).toBe(4509);
    for (const client of bystanders) {
      client.send({ type: 'ping' });
      expect(await client.next()).toEqual({ type: 'pong' });
    }
  });

  it.each([
    ['on one gateway', false],
    ['over two gateways', true],
  ])(
    '§5: of many that connect at the same time %s exactly one survives, and it gets everything',
    async (_, isSpread) => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(5));
      const clients = await Promise.all(
        texts(12).map((_text, index) => (isSpread && index % 2 === 1 ? b : a).connect(user)),
      );
      const open = (): TestClient[] => clients.filter(({ socket }) => socket.readyState === socket.OPEN);
      await eventually('one is left', () => open().length === 1);
      const codes = await Promise.all(
        clients.filter((client) => !open().includes(client)).map(async ({ closed }) => (await closed).code),
      );
      expect(codes).toEqual(Array.from({ length: 11 }, () => 4509));
      const [survivor] = open();
      await fixture.send('alice', user, ['last']);
      await eventually('all here', () => survivor?.all('message').length === 6);
      survivor?.send({ type: 'ack', seq: 6, ref: 1 });
      await survivor?.nextOf('ok');
      await eventually('one is counted', async () => {
        expect(Object.values(await fixture.presence(user))).toEqual(['1']);
        return true;
      });
      expect((await fixture.device(user)).fence).toBe(12);
    },
  );

  describe('while Redis is out of reach', () => {
    let proxy: FaultProxy;
    let slow: TestGateway;
    let quick: TestGateway;
    beforeAll(async () => {
      proxy = await FaultProxy.open(fixture.redis.url);
      const env = { REDIS_URL: proxy.through(fixture.redis.url) };
      slow = await fixture.start(env);
      quick = await fixture.start({ ...env, RECONCILE_INTERVAL_MS: '300' });
      proxy.mode = 'reset';
    });
    afterAll(async () => {
      await Promise.all([slow, quick].map((gateway) => gateway.stop()));
      await proxy.close();
    });

    it('§5: takes over across gateways at the next reconcile', async () => {
      const user = fixture.user();
      const first = await quick.connectLive(user);
      const second = await slow.connectLive(user);
      expect((await first.closed).code).toBe(4509);
      expect(second.socket.readyState).toBe(second.socket.OPEN);
    });

    it('§5: an ack of the older connection is refused: the cursor stays, and it closes with 4509', async () => {
      const user = fixture.user();
      await fixture.commit('alice', user, texts(3));
      const first = await slow.connectLive(user);
      const second = await quick.connectLive(user);
      second.send({ type: 'ack', seq: 1, ref: 1 });
      await second.nextOf('ok');
      first.send({ type: 'ack', seq: 3, ref: 'late' });
      expect((await first.closed).code).toBe(4509);
      expect(first.all('ok')).toEqual([]);
      expect((await fixture.device(user)).cursor).toBe(1);
    });
  });
});
