import { eventually } from '@posthorn/testing';
import { GatewayFixture, range, seqsOf, type TestGateway, texts } from './gateway.fixture';

let fixture: GatewayFixture;
let gateway: TestGateway;
let narrow: TestGateway;

beforeAll(async () => {
  fixture = await GatewayFixture.open();
  gateway = await fixture.start();
  narrow = await fixture.start({ DELIVERY_WINDOW: '3' });
});

afterAll(() => fixture.close());

/** What a partition that is dropped takes along of an inbox: entries that are committed and not routed. */
async function drop(user: string, from: number, to: number): Promise<void> {
  await fixture.database.query('DELETE FROM inbox_entry WHERE user_id = $1 AND seq BETWEEN $2 AND $3', [
    user,
    from,
    to,
  ]);
}

describe('what is not kept any more', () => {
  it('§5.2: is told of in its place, at the beginning, in the middle and at the end', async () => {
    const user = fixture.user();
    await fixture.commit('alice', user, texts(100));
    await drop(user, 1, 10);
    await drop(user, 13, 14);
    await drop(user, 98, 100);
    const before = await gateway.metric('skipped_entries_total');
    const client = await gateway.connectLive(user);
    const [welcome, ...frames] = client.frames;
    expect(welcome).toMatchObject({ type: 'welcome', after: 0, lastSeq: 100 });
    expect(frames.map((frame) => (frame.type === 'message' ? frame.seq : frame))).toEqual([
      { type: 'skipped', from: 1, to: 10 },
      11,
      12,
      { type: 'skipped', from: 13, to: 14 },
      ...range(15, 97),
      { type: 'skipped', from: 98, to: 100 },
      { type: 'caughtUp', seq: 100 },
    ]);
    expect((await gateway.metric('skipped_entries_total')) - before).toBe(15);
    client.send({ type: 'ack', seq: 100, ref: 1 });
    expect(await client.nextOf('ok')).toEqual({ type: 'ok', ref: 1 });
    expect((await fixture.device(user)).cursor).toBe(100);
    await fixture.send('alice', user, ['next']);
    expect(await client.nextOf('message')).toMatchObject({ seq: 101, message: { text: 'next' } });
  });

  it('§5.2: may be all there is, far more than one statement moves a cursor over', async () => {
    const user = fixture.user();
    await fixture.commit('alice', user, ['old']);
    await fixture.database.query('UPDATE inbox SET newest_seq = 23456 WHERE user_id = $1', [user]);
    await drop(user, 1, 1);
    const client = await gateway.connectLive(user);
    expect(client.frames.slice(1)).toEqual([
      { type: 'skipped', from: 1, to: 23_456 },
      { type: 'caughtUp', seq: 23_456 },
    ]);
    client.send({ type: 'ack', seq: 23_456, ref: 'all' });
    expect(await client.nextOf('ok')).toEqual({ type: 'ok', ref: 'all' });
    expect((await fixture.device(user)).cursor).toBe(23_456);
    await client.close();
    const again = await gateway.connectLive(user);
    expect(again.frames).toMatchObject([{ type: 'welcome', after: 23_456 }, { type: 'caughtUp' }]);
  });

  it('§5.2: takes no place in the window', async () => {
    const user = fixture.user();
    await fixture.commit('alice', user, texts(50));
    await drop(user, 2, 40);
    await drop(user, 42, 45);
    const client = await narrow.connect(user);
    await client.nextOf('message');
    await eventually('three messages', () => client.all('message').length === 3);
    expect(seqsOf(client.frames)).toEqual([1, 41, 46]);
    expect(client.all('skipped')).toEqual([
      { type: 'skipped', from: 2, to: 40 },
      { type: 'skipped', from: 42, to: 45 },
    ]);
    client.send({ type: 'ack', seq: 44 });
    await eventually('two more', () => client.all('message').length === 5);
    expect(await narrow.metric('in_flight_messages')).toBe(3);
  });

  it('§5.1: with ack=auto counts as acknowledged', async () => {
    const user = fixture.user();
    await fixture.commit('alice', user, texts(6));
    await drop(user, 1, 6);
    await gateway.connectLive(user, { ack: 'auto' });
    await eventually('acknowledged', async () => (await fixture.device(user)).cursor === 6);
  });

  it('§5.1: is told of from `after` on', async () => {
    const user = fixture.user();
    await fixture.commit('alice', user, texts(9));
    await drop(user, 2, 7);
    const client = await gateway.connectLive(user, { after: '4' });
    expect(client.all('skipped')).toEqual([{ type: 'skipped', from: 5, to: 7 }]);
    expect(seqsOf(client.frames)).toEqual([8, 9]);
  });

  it('§5.2: comes to a device that is connected and lacks it, too', async () => {
    const user = fixture.user();
    const client = await gateway.connectLive(user);
    const accepted = await fixture.commit('alice', user, texts(5));
    await drop(user, 1, 3);
    await fixture.route(accepted.slice(-1)); // shows that there were others
    await eventually('the rest', () => client.all('message').length === 2);
    expect(client.all('skipped')).toEqual([{ type: 'skipped', from: 1, to: 3 }]);
    expect(seqsOf(client.frames)).toEqual([4, 5]);
  });
});
