import { eventually } from '@posthorn/testing';
import { GatewayFixture, signToken, type TestGateway } from './gateway.fixture';
import { frame, RawClient } from './raw-client.fixture';

const HEARTBEAT_MS = 4_000;
/** A gateway takes more at a time for a standstill of its own. */
const STEP_MS = 1_000;

describe('the clock of connections', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  /** The gateway's time, which goes on when a test says so. */
  let nowMs = 0;
  let readings = 0;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    const now = (): number => {
      readings++;
      return nowMs;
    };
    gateway = await fixture.start({ HEARTBEAT_MS: String(HEARTBEAT_MS) }, { now });
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => fixture.close());

  /** Lets so much time go by; the gateway has looked at each connection at every step. */
  async function pass(durationMs: number): Promise<void> {
    const connections = await gateway.metric('connections');
    for (const endMs = nowMs + durationMs; nowMs < endMs; ) {
      nowMs += STEP_MS;
      const before = readings;
      await eventually('a look at each', () => readings > before + connections);
    }
  }

  describe('and tokens', () => {
    const LEEWAY_MS = 5_000;
    const endsAtS = Math.floor(Date.now() / 1_000) + 3_600;

    /** The clock on the wall, for whoever looks at when tokens end. */
    function setWallClock(ms: number): void {
      jest.spyOn(Date, 'now').mockReturnValue(ms);
    }

    it('§5: a connection whose token ended closes with 4401, not before the leeway; one with a fresh token lives on', async () => {
      const [user, other, witness] = [fixture.user(), fixture.user(), fixture.user()];
      const stale = await gateway.connectWith(signToken({ sub: user, exp: endsAtS }));
      const refreshed = await gateway.connectWith(signToken({ sub: other, exp: endsAtS }));
      const earlier = await gateway.connectWith(signToken({ sub: witness, exp: endsAtS - 1 }));
      await refreshed.nextOf('caughtUp');
      const fresh = signToken({ sub: other, exp: endsAtS + 3_600 });
      refreshed.send({ type: 'auth', token: fresh, ref: 1 });
      await refreshed.nextOf('ok');
      // A token of somebody else's changes nothing.
      stale.send({ type: 'auth', token: fresh, ref: 1 });
      await stale.nextOf('error');

      setWallClock(endsAtS * 1_000 + LEEWAY_MS);
      expect((await earlier.closed).code).toBe(4401);
      await pass(STEP_MS);
      stale.send({ type: 'ping' });
      await stale.nextOf('pong');
      setWallClock(endsAtS * 1_000 + LEEWAY_MS + 1);
      expect((await stale.closed).code).toBe(4401);
      await pass(STEP_MS);
      refreshed.send({ type: 'ping' });
      expect(await refreshed.nextOf('pong')).toEqual({ type: 'pong' });
      refreshed.terminate();
    });

    it('§5: of two auth frames the later one counts, also where its token was verified first', async () => {
      const [user, other] = [fixture.user(), fixture.user()];
      const lasting = signToken({ sub: user, exp: endsAtS + 3_600 });
      const client = await gateway.connectWith(lasting);
      await client.nextOf('caughtUp');
      const ending = signToken({ sub: user, exp: endsAtS });
      client.send({ type: 'auth', token: ending, ref: 'new to the gateway' });
      client.send({ type: 'auth', token: lasting, ref: 'known' });
      const answers = [await client.next(), await client.next()];
      expect(answers).toEqual([
        { type: 'ok', ref: 'known' },
        { type: 'ok', ref: 'new to the gateway' },
      ]);
      // By the end of another one, whose token ends at the same time, it would have been closed.
      const stale = await gateway.connectWith(signToken({ sub: other, exp: endsAtS }));
      setWallClock(endsAtS * 1_000 + LEEWAY_MS + 1);
      expect((await stale.closed).code).toBe(4401);
      await pass(STEP_MS);
      client.send({ type: 'ping' });
      expect(await client.nextOf('pong')).toEqual({ type: 'pong' });
      client.terminate();
    });
  });

  it('§2: a peer that was silent for 1.5 heartbeats closes with 4408, and its user is offline', async () => {
    const user = fixture.user();
    const silent = await RawClient.open(gateway.port, user);
    await pass(1.5 * HEARTBEAT_MS);
    expect(silent.socket.readableEnded).toBe(false);
    expect(await gateway.metric('closes_total', { code: '4408' })).toBe(0);
    await pass(STEP_MS);
    expect(await silent.closeCode()).toBe(4408);
    await eventually('offline', async () => Object.keys(await fixture.presence(user)).length === 0);
    await silent.ended; // also without its part of the closing handshake
  });

  it('§5: protocol pings are sent each heartbeat, and pongs, ping frames, acks, protocol pings and unasked pongs each keep the connection', async () => {
    const before = await gateway.metric('closes_total', { code: '4408' });
    const answering = await gateway.connectLive(fixture.user());
    let pings = 0;
    answering.socket.on('ping', () => {
      pings++;
    });
    const signs = [
      frame(1, '{"type":"ping"}'),
      frame(1, '{"type":"ack","seq":0}'),
      frame(9, ''),
      frame(10, ''),
    ];
    const clients = await Promise.all(signs.map(() => RawClient.open(gateway.port, fixture.user())));
    for (let heartbeat = 1; heartbeat <= 4; heartbeat++) {
      await pass(HEARTBEAT_MS);
      await eventually('the ping', () => pings === heartbeat);
      for (const [index, client] of clients.entries()) client.write(signs[index] ?? '');
      // A connection that comes after them is answered after them.
      (await RawClient.open(gateway.port, fixture.user())).socket.destroy();
    }
    await pass(STEP_MS);
    expect(await gateway.metric('closes_total', { code: '4408' })).toBe(before);
    answering.send({ type: 'ping' });
    expect(await answering.next()).toEqual({ type: 'pong' });
    for (const client of clients) {
      expect(client.socket.readableEnded).toBe(false);
      client.socket.destroy();
    }
  });
});
