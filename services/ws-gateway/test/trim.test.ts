import { eventually, HANG_MS, type TestClient } from '@posthorn/testing';
import { gatewayDefaults } from '../src/gateway-options';
import { GatewayFixture, range, type TestGateway, texts } from './gateway.fixture';

describe('the offline list', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start({}, { trimIntervalMs: 200 });
  });
  afterAll(() => fixture.close());

  it('§6: is trimmed at an interval within 5 s after an ack, to what some known device lacks, and never further', async () => {
    expect(gatewayDefaults.trimIntervalMs).toBeLessThan(5_000);
    const [user, bystander] = [fixture.user(), fixture.user()];
    await fixture.send('alice', [user, bystander], texts(10));
    const [phone, laptop] = [
      await gateway.connectLive(user, { device: 'phone' }),
      await gateway.connectLive(user, { device: 'laptop' }),
    ];

    // The laptop lacks them all. A round of the trimmer over another user shows that it passed.
    const witness = fixture.user();
    await fixture.send('alice', witness, texts(3));
    const other = await gateway.connectLive(witness);
    await acknowledge(phone, 10);
    await acknowledge(other, 2);
    await eventually('the witness is trimmed', async () => (await fixture.listed(witness)).length === 1);
    expect(await fixture.listed(user)).toEqual(range(1, 10));
    expect(await fixture.listed(witness)).toEqual([3]);

    // A device that is offline holds back what it lacks.
    await acknowledge(laptop, 6);
    await laptop.close();
    await eventually('trimmed', async () => (await fixture.listed(user)).length === 4);
    expect(await fixture.listed(user)).toEqual(range(7, 10));
    expect(await fixture.listed(bystander)).toEqual(range(1, 10));
    expect(await gateway.metric('trimmed_entries_total')).toBe(8);
  });

  it('§6: a stop trims what was acknowledged last', async () => {
    // No round of its own comes before the stop.
    const stopping = await fixture.start({}, { trimIntervalMs: HANG_MS });
    const user = fixture.user();
    await fixture.send('alice', user, texts(5));
    const client = await stopping.connectLive(user);
    await acknowledge(client, 4);
    await stopping.stop();
    expect(await fixture.listed(user)).toEqual([5]);
  });
});

async function acknowledge(client: TestClient, seq: number): Promise<void> {
  client.send({ type: 'ack', seq, ref: seq });
  await client.nextOf('ok');
}
