import { eventually } from '@posthorn/testing';
import { GatewayFixture, range, seqsOf, type TestGateway, texts } from './gateway.fixture';

describe('a restore from a backup, before the next reconcile', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start();
  });
  afterAll(() => fixture.close());

  it('§5: an ack of the life before is refused with 1012, though the device is as it was: nothing new is skipped', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(3));
    const client = await gateway.connectLive(user);
    client.send({ type: 'ack', seq: 3, ref: 'before' });
    await client.nextOf('ok');
    await fixture.send('alice', user, texts(2, 'lost'));
    await eventually('all here', () => seqsOf(client.frames).length === 5);
    await fixture.restore(user, 3);
    client.send({ type: 'ack', seq: 5, ref: 'after' });
    expect((await client.closed).code).toBe(1012);
    expect(client.all('ok').map(({ ref }) => ref)).toEqual(['before']);
    expect((await fixture.device(user)).cursor).toBe(3);

    await fixture.send('alice', user, texts(3, 'new'));
    const again = await gateway.connectLive(user);
    expect(again.all('message').map(({ seq, message }) => [seq, message.text])).toEqual([
      [4, 'new1'],
      [5, 'new2'],
      [6, 'new3'],
    ]);
  });

  it.each([
    ['inline', 'new'],
    ['by reference', 'x'.repeat(8_000)],
  ])('§5: a connection of the life before is sent nothing of the new one that comes %s', async (_, text) => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(5));
    const client = await gateway.connectLive(user);
    await fixture.restore(user, 3);
    await fixture.send('alice', user, [text, text, text]);
    client.send({ type: 'ping' });
    await client.nextOf('pong');
    expect(seqsOf(client.frames)).toEqual(range(1, 5));
    expect(client.all('message').map(({ message }) => message.text)).toEqual(texts(5));
    client.terminate();
  });

  it('§5: one that is told late of what was lost reads the inbox of the new life, and is sent away with 1012 in place of that', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(3));
    const client = await gateway.connectLive(user);
    const lost = await fixture.commit('alice', user, ['x'.repeat(8_000)]);
    await fixture.restore(user, 3);
    await fixture.commit('alice', user, texts(2, 'new'));
    await fixture.route(lost);
    expect((await client.closed).code).toBe(1012);
    expect(client.all('message').map(({ message }) => message.text)).toEqual(texts(3));
  });

  it('§5: a device that comes back takes over from its connection of the life before, whichever has the higher token', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, ['one']);
    for (const _ of range(1, 3)) await (await gateway.connectLive(user)).close();
    const old = await gateway.connectLive(user);
    await fixture.restore(user, 1, 1);
    const newer = await gateway.connectLive(user);
    expect((await fixture.device(user)).fence).toBe(2);
    expect((await old.closed).code).toBe(1012);
    await fixture.send('alice', user, ['two']);
    expect(await newer.nextOf('message')).toMatchObject({ seq: 2 });
    newer.send({ type: 'ack', seq: 2, ref: 1 });
    expect(await newer.nextOf('ok')).toEqual({ type: 'ok', ref: 1 });
  });

  it('§5: a connection whose device Postgres knows nothing of is sent away with 1012, and works when it is back', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, ['one']);
    const client = await gateway.connectLive(user);
    await fixture.database.query('DELETE FROM device WHERE user_id = $1', [user]);
    client.send({ type: 'ack', seq: 1, ref: 1 });
    expect((await client.closed).code).toBe(1012);
    const again = await gateway.connectLive(user);
    again.send({ type: 'ack', seq: 1, ref: 1 });
    await again.nextOf('ok');
  });
});
