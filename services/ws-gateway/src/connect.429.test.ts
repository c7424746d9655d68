import { eventually } from '@posthorn/testing';
import { expectProblem, GatewayFixture, refusalOf, texts } from './gateway.fixture';

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
});
