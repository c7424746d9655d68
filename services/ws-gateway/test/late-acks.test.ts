import { eventually, FaultProxy } from '@posthorn/testing';
import { GatewayFixture, impatientOfLocks, type TestGateway, texts } from './gateway.fixture';

describe('what a connection acknowledged that ended before Postgres took it', () => {
  let fixture: GatewayFixture;
  let proxy: FaultProxy;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    proxy = await FaultProxy.open(fixture.database.url);
    gateway = await fixture.start({ DATABASE_URL: proxy.through(fixture.database.url) }, impatientOfLocks);
  });
  afterAll(async () => {
    await fixture.close();
    await proxy.close();
  });

  it('§5: with ack=auto is not sent again to the device when it comes back', async () => {
    const user = fixture.user();
    const client = await gateway.connectLive(user, { ack: 'auto' });
    const unlock = await fixture.lockDevices();
    const before = await gateway.metric('acks_total', { outcome: 'unavailable' });
    await fixture.send('alice', user, ['once']);
    await client.nextOf('message');
    await eventually('failed', async () => {
      return (await gateway.metric('acks_total', { outcome: 'unavailable' })) > before;
    });
    const faults = await gateway.metric('store_errors_total');
    await client.close();
    // The acknowledgement and the end of the connection: both will be tried again by themselves, but later.
    await eventually('failed', async () => (await gateway.metric('store_errors_total')) >= faults + 2);
    await unlock();
    const again = await gateway.connectLive(user, { ack: 'auto' });
    expect(again.all('welcome')[0]).toMatchObject({ after: 1, lastSeq: 1 });
    expect(again.all('message')).toEqual([]);
  });

  it('§5: is committed once Postgres is back, with its receipts and the end of the connection', async () => {
    const [user, sender] = [fixture.user(), fixture.user('sender')];
    await fixture.send(sender, user, texts(3));
    const tellee = await gateway.connectLive(sender);
    const client = await gateway.connectLive(user);
    proxy.mode = 'reset';
    client.send({ type: 'ack', seq: 3, ref: 1 });
    expect(await client.nextOf('error')).toMatchObject({ code: 'unavailable' });
    await client.close();
    proxy.mode = 'pass';
    await eventually('committed', async () => {
      const { cursor, gateway: holder } = await fixture.device(user);
      return cursor === 3 && holder === null;
    });
    await eventually('told', () => tellee.all('receipt').length === 3);
  });
});
