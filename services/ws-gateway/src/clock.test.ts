import { mintToken } from '@posthorn/stack';
import { eventually, TEST_SECRET } from '@posthorn/testing';
import { GatewayFixture, signToken, type TestGateway } from './gateway.fixture';
import { frame, RawClient } from './raw-client.fixture';

const HEARTBEAT_MS = 200;

describe('the clock of connections', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start({ HEARTBEAT_MS: String(HEARTBEAT_MS) });
  });
  afterAll(() => fixture.close());

  it('§5: a connection whose token ended closes with 4401, not before the leeway; one with a fresh token lives on', async () => {
    const [user, other] = [fixture.user(), fixture.user()];
    const nowS = Math.floor(Date.now() / 1_000);
    const endsAtMs = (nowS - 3 + 5) * 1_000;
    const stale = await gateway.connectWith(signToken({ sub: user, exp: nowS - 3 }));
    const refreshed = await gateway.connectWith(signToken({ sub: other, exp: nowS - 3 }));
    await refreshed.nextOf('caughtUp');
    refreshed.send({ type: 'auth', token: await mintToken({ user: other, secret: TEST_SECRET }), ref: 1 });
    await refreshed.nextOf('ok');
    // A token of somebody else's changes nothing.
    stale.send({ type: 'auth', token: await mintToken({ user: other, secret: TEST_SECRET }), ref: 1 });
    await stale.nextOf('error');

    expect((await stale.closed).code).toBe(4401);
    expect(Date.now()).toBeGreaterThanOrEqual(endsAtMs);
    expect(Date.now()).toBeLessThan(endsAtMs + 5_000);
    refreshed.send({ type: 'ping' });
    expect(await refreshed.nextOf('pong')).toEqual({ type: 'pong' });
  });

  it('§5: of two auth frames the later one counts, also where its token was verified first', async () => {
    const [user, other] = [fixture.user(), fixture.user()];
    const lasting = await mintToken({ user, secret: TEST_SECRET });
    const client = await gateway.connectWith(lasting);
    await client.nextOf('caughtUp');
    const exp = Math.floor(Date.now() / 1_000) - 3;
    client.send({ type: 'auth', token: signToken({ sub: user, exp }), ref: 'new to the gateway' });
    client.send({ type: 'auth', token: lasting, ref: 'known' });
    const answers = [await client.next(), await client.next()];
    expect(answers).toEqual([
      { type: 'ok', ref: 'known' },
      { type: 'ok', ref: 'new to the gateway' },
    ]);
    // By the end of another one, whose token ends at the same time, it would have been closed.
    const stale = await gateway.connectWith(signToken({ sub: other, exp }));
    expect((await stale.closed).code).toBe(4401);
    client.send({ type: 'ping' });
    expect(await client.nextOf('pong')).toEqual({ type: 'pong' });
  });

  it('§2: a peer that was silent for 1.5 heartbeats closes with 4408, and its user is offline', async () => {
    const user = fixture.user();
    const startedAt = performance.now();
    const silent = await RawClient.open(gateway.port, user);
    expect(await silent.closeCode()).toBe(4408);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1.5 * HEARTBEAT_MS - 50);
    await eventually('offline', async () => Object.keys(await fixture.presence(user)).length === 0);
    await silent.ended; // also without its part of the closing handshake
  });

  it('§5: protocol pings are sent each heartbeat, and pongs keep the connection', async () => {
    const client = await gateway.connectLive(fixture.user());
    let pings = 0;
    client.socket.on('ping', () => {
      pings++;
    });
    await eventually('many pings', () => pings >= 5);
    client.send({ type: 'ping' });
    expect(await client.next()).toEqual({ type: 'pong' });
  });

  it('§5: ping frames, acks, protocol pings and unasked pongs each keep the connection, too', async () => {
    const signs = [
      frame(1, '{"type":"ping"}'),
      frame(1, '{"type":"ack","seq":0}'),
      frame(9, ''),
      frame(10, ''),
    ];
    const clients = await Promise.all(signs.map(() => RawClient.open(gateway.port, fixture.user())));
    const startedAt = performance.now();
    await eventually('five heartbeats', () => {
      for (const [index, client] of clients.entries()) client.write(signs[index] ?? '');
      return performance.now() - startedAt > 5 * HEARTBEAT_MS;
    });
    for (const client of clients) {
      expect(client.socket.readableEnded).toBe(false);
      client.socket.destroy();
    }
  });
});
