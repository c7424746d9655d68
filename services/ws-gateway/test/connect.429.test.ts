import { eventually, type TestClient } from '@posthorn/testing';
import { WebSocket } from 'ws';
import {
  expectProblem,
  GatewayFixture,
  impatientOfLocks,
  range,
  refusalOf,
  type TestGateway,
  texts,
} from './gateway.fixture';

describe('the connections of one user', () => {
  let fixture: GatewayFixture;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
  });
  afterAll(() => fixture.close());

  it('§2: are 20 at most by default: the next one gets 429, other users do not', async () => {
    const gateway = await fixture.start();
    const user = fixture.user();
    for (const device of texts(20, 'd')) await gateway.connectLive(user, { device });
    const refused = await refusalOf(gateway.connect(user, { device: 'd21' }));
    expectProblem(refused, 429, 'too_many_connections');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await gateway.connectLive(fixture.user());
    expect(
      await eventually('the refused one is not counted', async () => {
        const [count] = Object.values(await fixture.presence(user));
        return count === '20' && count;
      }),
    ).toBe('20');
  });

  it('§2: a device that takes over at the limit keeps its place, also against a new device that is a moment earlier', async () => {
    const gateway = await fixture.start({ MAX_CONNECTIONS_PER_USER: '2' });
    const user = fixture.user();
    await gateway.connectLive(user, { device: 'a' });
    const before = await gateway.connectLive(user, { device: 'b' });
    const attempts = await Promise.allSettled([
      gateway.connect(user, { device: 'c' }),
      gateway.connect(user, { device: 'b' }),
    ]);
    expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect((await before.closed).code).toBe(4509);
  });

  it('§2: are counted over all gateways, a takeover is not one more, and who left makes room', async () => {
    const [a, b] = [
      await fixture.start({ MAX_CONNECTIONS_PER_USER: '3' }),
      await fixture.start({ MAX_CONNECTIONS_PER_USER: '3' }),
    ];
    const user = fixture.user();
    const first = await a.connectLive(user, { device: 'd1' });
    await a.connectLive(user, { device: 'd2' });
    await b.connectLive(user, { device: 'd3' });
    for (const gateway of [a, b]) {
      expectProblem(await refusalOf(gateway.connect(user, { device: 'd4' })), 429, 'too_many_connections');
    }

    // On the gateway that holds the device, and on the other one.
    const second = await a.connectLive(user, { device: 'd1' });
    expect((await first.closed).code).toBe(4509);
    const third = await b.connectLive(user, { device: 'd1' });
    expect((await second.closed).code).toBe(4509);

    await third.close();
    await eventually('the place is free again', async () => {
      const fourth = await a.connect(user, { device: 'd4' }).catch(() => undefined);
      return fourth !== undefined;
    });
  });

  it('§2: a device that a dead gateway held has lost its place: it gets 429, and none of the living is ended', async () => {
    const gateway = await fixture.start({ MAX_CONNECTIONS_PER_USER: '2' });
    const user = fixture.user();
    await fixture.database.query(
      "INSERT INTO device (user_id, device, fence, gateway, connected_at) VALUES ($1, 'a', 1, 'dead', now())",
      [user],
    );
    const living = [
      await gateway.connectLive(user, { device: 'b' }),
      await gateway.connectLive(user, { device: 'c' }),
    ];
    expectProblem(await refusalOf(gateway.connect(user, { device: 'a' })), 429, 'too_many_connections');
    // Whatever counted the refused one as a connection has been settled by now.
    for (const client of living) {
      client.send({ type: 'ping' });
      await client.nextOf('pong');
    }
    expect(living.map(isOpen)).toEqual([true, true]);
  });

  describe('one whose end could not be recorded', () => {
    /** As an outage leaves it: in Postgres it is connected, for longer than any other. */
    async function leaveHold(user: string, device: string, gateway: TestGateway): Promise<void> {
      await fixture.database.query(
        `INSERT INTO device (user_id, device, gateway, connected_at) VALUES ($1, $2, $3, now() - interval '1 h')`,
        [user, device, gateway.id],
      );
    }

    async function expectOpen(clients: readonly TestClient[]): Promise<void> {
      for (const client of clients) {
        client.send({ type: 'ping' });
        await client.nextOf('pong');
      }
      expect(clients.map(isOpen)).toEqual(clients.map(() => true));
    }

    it.each(['here', 'elsewhere'])(
      '§2: (%s) counts no more: none is ended for it, and the next one is refused',
      async (where) => {
        const env = { MAX_CONNECTIONS_PER_USER: '3' };
        const [gateway, other] = [await fixture.start(env), await fixture.start(env)];
        const user = fixture.user();
        await leaveHold(user, 'left', where === 'here' ? gateway : other);
        const open = [
          await other.connectLive(user, { device: 'a' }),
          await gateway.connectLive(user, { device: 'b' }),
          await gateway.connectLive(user, { device: 'c' }),
        ];
        expectProblem(await refusalOf(gateway.connect(user, { device: 'd' })), 429, 'too_many_connections');
        await expectOpen(open);
      },
    );

    it('§2: takes the last place from none of those that race for it', async () => {
      const gateway = await fixture.start({ MAX_CONNECTIONS_PER_USER: '2' });
      const user = fixture.user();
      await leaveHold(user, 'left', gateway);
      const first = await gateway.connectLive(user, { device: 'a' });
      const unlock = await fixture.lockDevices();
      const racing = ['b', 'c'].map((device) => gateway.connect(user, { device }));
      await eventually(
        'both announced',
        async () => (await fixture.presence(user))[gateway.id ?? ''] === '3',
      );
      await unlock();
      const outcomes = await Promise.allSettled(racing);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await expectOpen([first]);
    });
  });

  it('§2: the end of a connection is recorded as soon as Postgres answers again', async () => {
    const gateway = await fixture.start({}, impatientOfLocks);
    const user = fixture.user();
    const client = await gateway.connectLive(user);
    const unlock = await fixture.lockDevices();
    const faults = await gateway.metric('store_errors_total');
    await client.close();
    await eventually('failed', async () => (await gateway.metric('store_errors_total')) > faults);
    await unlock();
    await eventually('recorded', async () => (await fixture.device(user)).gateway === null);
  });

  it('§2: of ten devices at once as many stay as may be, and none that was there before is ended', async () => {
    const gateway = await fixture.start({ MAX_CONNECTIONS_PER_USER: '4' });
    const user = fixture.user();
    const first = await gateway.connectLive(user, { device: 'first' });
    const attempts = await Promise.allSettled(
      range(1, 10).map((n) => gateway.connect(user, { device: `d${n}` })),
    );
    const welcomed = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(welcomed.length).toBeGreaterThanOrEqual(3);
    await eventually('three stay', () => welcomed.filter(isOpen).length === 3);
    expect(isOpen(first)).toBe(true);
  });

  it('§2: over two gateways at once they are settled to as many as may be', async () => {
    const user = fixture.user();
    const gateways = [
      await fixture.start({ MAX_CONNECTIONS_PER_USER: '3' }),
      await fixture.start({ MAX_CONNECTIONS_PER_USER: '3' }),
    ];
    const attempts = await Promise.allSettled(
      range(1, 10).map((n) => gateways[n % 2]?.connect(user, { device: `d${n}` })),
    );
    const welcomed = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    await eventually('three stay', () => {
      return welcomed.filter(isOpen).length === 3;
    });
  });

  it('§2: a new device that connects several times at once is one more, not a takeover', async () => {
    const user = fixture.user();
    const gateway = await fixture.start({ MAX_CONNECTIONS_PER_USER: '2' });
    const old = [
      await gateway.connectLive(user, { device: 'a' }),
      await gateway.connectLive(user, { device: 'b' }),
    ];
    const attempts = await Promise.allSettled(
      range(1, 3).map(() => gateway.connect(user, { device: 'new' })),
    );
    expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(old.map(isOpen)).toEqual([true, true]);
  });
});

function isOpen(client: TestClient | undefined): boolean {
  return client?.socket.readyState === WebSocket.OPEN;
}
