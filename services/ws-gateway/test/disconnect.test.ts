import { eventually, type TestClient } from '@posthorn/testing';
import { GatewayFixture, type TestGateway } from './gateway.fixture';

describe("an operator's disconnect", () => {
  let fixture: GatewayFixture;
  let a: TestGateway;
  let b: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    [a, b] = [await fixture.start(), await fixture.start()];
  });
  afterAll(() => fixture.close());

  it('§2: of a user closes all connections on every gateway with 4503, and nobody else', async () => {
    const [user, other] = [fixture.user(), fixture.user()];
    const clients = [
      await a.connectLive(user, { device: 'phone' }),
      await a.connectLive(user, { device: 'laptop' }),
      await b.connectLive(user, { device: 'tablet' }),
    ];
    const bystander = await a.connectLive(other);
    await fixture.disconnect(user);
    for (const client of clients) expect((await client.closed).code).toBe(4503);
    await eventually('offline', async () => Object.keys(await fixture.presence(user)).length === 0);
    await expectAlive(bystander);
    await a.connectLive(user); // it may come back
  });

  it('§2: of one device closes that one only', async () => {
    const user = fixture.user();
    const [phone, laptop] = [
      await a.connectLive(user, { device: 'phone' }),
      await b.connectLive(user, { device: 'laptop' }),
    ];
    await fixture.disconnect(user, 'phone');
    expect((await phone.closed).code).toBe(4503);
    await expectAlive(laptop);
  });

  it('§2: of somebody who is not connected does nothing', async () => {
    await expect(fixture.disconnect(fixture.user())).resolves.toBeUndefined();
  });
});

async function expectAlive(client: TestClient): Promise<void> {
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
}
