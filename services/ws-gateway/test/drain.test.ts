import { eventually, type TestClient } from '@posthorn/testing';
import { GatewayFixture, range, seqsOf, type TestGateway, texts } from './gateway.fixture';
import { frame, RawClient } from './raw-client.fixture';

describe('what waits at the connect', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start();
  });
  afterAll(() => fixture.close());

  /** How many messages the gateway sent from each source since it was asked last. */
  function counter(): () => Promise<Record<string, number>> {
    let before: Record<string, number> = {};
    return async () => {
      const now: Record<string, number> = {};
      for (const source of ['list', 'live', 'postgres']) {
        now[source] = await gateway.metric('deliveries_total', { source });
      }
      const since = Object.fromEntries(
        Object.entries(now).map(([source, count]) => [source, count - (before[source] ?? 0)]),
      );
      before = now;
      return since;
    };
  }

  /** Replaces the offline list. */
  async function rewrite(user: string, change: (entries: string[]) => string[]): Promise<void> {
    const key = fixture.keys.offline(user);
    const entries = await fixture.redis.client.lrange(key, 0, -1);
    const changed = change(entries);
    await fixture.redis.client.del(key);
    if (changed.length > 0) await fixture.redis.client.rpush(key, ...changed);
  }

  describe('in the offline list and in Postgres', () => {
    let delivered: () => Promise<Record<string, number>>;
    beforeAll(() => {
      delivered = counter();
    });
    beforeEach(() => delivered());

    it('§1: comes from the list where that has it, in order, with one caughtUp', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(150));
      const client = await gateway.connectLive(user);
      expect(seqsOf(client.frames)).toEqual(range(1, 150));
      expect(client.frames.at(-1)).toEqual({ type: 'caughtUp', seq: 150 });
      expect(client.all('message').map(({ message }) => message.text)).toEqual(texts(150));
      expect(await delivered()).toEqual({ list: 150, live: 0, postgres: 0 });
      expect(await fixture.listed(user)).toEqual(range(1, 150)); // not consumed
    });

    it('§1: comes from Postgres where the list is gone', async () => {
      const user = fixture.user();
      await fixture.commit('alice', user, texts(150));
      const client = await gateway.connectLive(user);
      expect(seqsOf(client.frames)).toEqual(range(1, 150));
      expect(await delivered()).toEqual({ list: 0, live: 0, postgres: 150 });
    });

    it('§1: comes from the list first and then from Postgres, where only the end was never routed', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(70));
      await fixture.commit('alice', user, texts(70));
      const client = await gateway.connectLive(user);
      expect(seqsOf(client.frames)).toEqual(range(1, 140));
      expect(await delivered()).toMatchObject({ list: 70, postgres: 70 });
    });

    it('§1: comes from Postgres where the list was cut at its cap', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(100));
      await rewrite(user, (entries) => entries.slice(40));
      const client = await gateway.connectLive(user);
      expect(seqsOf(client.frames)).toEqual(range(1, 100));
    });

    it('§1: a caught-up device reads nothing', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(10));
      const first = await gateway.connectLive(user);
      first.send({ type: 'ack', seq: 10, ref: 1 });
      await first.nextOf('ok');
      await delivered();
      const second = await gateway.connect(user);
      expect(await second.next()).toMatchObject({ type: 'welcome', after: 10, lastSeq: 10 });
      expect(await second.next()).toEqual({ type: 'caughtUp', seq: 10 });
      expect(await delivered()).toEqual({ list: 0, live: 0, postgres: 0 });
    });

    it.each<[string, (entries: string[]) => string[]]>([
      ['a hole', (entries) => entries.filter((_, index) => index !== 30)],
      ['many holes', (entries) => entries.filter((_, index) => index % 3 === 0)],
      ['no beginning', (entries) => entries.slice(50)],
      [
        'two entries the other way round',
        (entries) => entries.with(9, entries[10] ?? '').with(10, entries[9] ?? ''),
      ],
      ['all entries the other way round', (entries) => entries.toReversed()],
      ['each entry twice', (entries) => entries.flatMap((entry) => [entry, entry])],
      [
        'entries of another epoch',
        (entries) =>
          entries.map((entry) => entry.replace(/"epoch":"[^"]*"/, '"epoch":"old"').replace('m1', 'lie')),
      ],
      ['rubbish among it', (entries) => entries.flatMap((entry) => [entry, 'rubbish', '{}', '{"seq":"1"}'])],
      ['rubbish only', () => ['rubbish', '[]', 'null', '{"seq":1}', '{"seq":-1,"epoch":"x"}']],
      ['entries far beyond the inbox', (entries) => [...entries, '{"seq":999999,"epoch":"x"}']],
      [
        'references only',
        (entries) => entries.map((entry) => `${entry.slice(0, entry.indexOf(',"message"'))}}`),
      ],
    ])('§1: a list with %s costs nothing but time', async (_, change) => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(100));
      await rewrite(user, change);
      const client = await gateway.connectLive(user);
      expect(client.all('message').map(({ seq, message }) => [seq, message.text])).toEqual(
        texts(100).map((text, index) => [index + 1, text]),
      );
      expect(client.all('caughtUp')).toEqual([{ type: 'caughtUp', seq: 100 }]);
    });

    it('§1: an entry of the list that cannot be read, or encoded again, is a hole that Postgres fills', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(4));
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      await rewrite(user, (entries) =>
        entries
          .with(1, (entries[1] ?? '').replace('"text"', `"data":{"a":${deep}},"text"`))
          .with(2, (entries[2] ?? '').replace(/"createdAt":"[^"]*"/, '"createdAt":"rubbish"')),
      );
      const client = await gateway.connectLive(user);
      expect(client.all('message').map(({ seq, message }) => [seq, message.text])).toEqual([
        [1, 'm1'],
        [2, 'm2'],
        [3, 'm3'],
        [4, 'm4'],
      ]);
      expect(client.all('message').map(({ message }) => message.data)).toEqual(Array(4).fill(undefined));
    });

    it('§1: a key of another Redis type in place of the list costs nothing but time', async () => {
      const user = fixture.user();
      await fixture.commit('alice', user, texts(5));
      await fixture.redis.client.set(fixture.keys.offline(user), 'a string');
      const client = await gateway.connectLive(user);
      expect(seqsOf(client.frames)).toEqual(range(1, 5));
    });

    it('§4: a message too large for the list arrives whole, as does one of many bytes a character', async () => {
      const user = fixture.user();
      const [large, wide] = ['x'.repeat(8_192), '€'.repeat(8_192)];
      await fixture.send('alice', user, ['small', large, wide, 'small again']);
      const client = await gateway.connectLive(user);
      expect(client.all('message').map(({ message }) => message.text)).toEqual([
        'small',
        large,
        wide,
        'small again',
      ]);
      await fixture.send('alice', user, [large]);
      expect((await client.nextOf('message')).message.text).toBe(large);
    });

    it('§4: only the sender sees `to`, whatever the message comes from', async () => {
      const [sender, other] = [fixture.user('sender'), fixture.user()];
      const connections = async (device: string): Promise<TestClient[]> =>
        Promise.all([sender, other].map((user) => gateway.connectLive(user, { device })));
      const check = async (clients: TestClient[], seq: number): Promise<void> => {
        const [own, foreign] = await Promise.all(
          clients.map((client) =>
            eventually('sent', () => client.all('message').find((sent) => sent.seq === seq)),
          ),
        );
        expect(own?.message.to).toEqual([other, sender]);
        expect(foreign?.message).not.toHaveProperty('to');
      };
      await fixture.send(sender, [other, sender], ['from the list']);
      const clients = await connections('a');
      await check(clients, 1);
      await fixture.send(sender, [other, sender], ['live']);
      await check(clients, 2);
      await fixture.redis.client.del(fixture.keys.offline(sender), fixture.keys.offline(other));
      const fresh = await connections('b');
      await check(fresh, 1);
      await check(fresh, 2);
    });
  });

  it('§1: a burst during the drain comes in its turn: no inversion, no gap, one caughtUp', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(200));
    const sending = (async () => {
      for (let round = 0; round < 20; round++) await fixture.send('alice', user, texts(10, `r${round}-`));
    })();
    const clients = await Promise.all(
      ['a', 'b', 'c'].map((device) => gateway.connect(user, { device, ack: 'auto' })),
    );
    await sending;
    for (const client of clients) {
      await eventually('all here', () => client.all('message').length === 400);
      expect(seqsOf(client.frames)).toEqual(range(1, 400));
      expect(client.all('caughtUp')).toHaveLength(1);
      expect(client.frames.findIndex(({ type }) => type === 'caughtUp')).toBeGreaterThan(200);
    }
  });

  it('§1: many users drain at the same time, each its own', async () => {
    const users = texts(40).map(() => fixture.user());
    for (const user of users) await fixture.send('alice', user, [`to ${user}`, 'all']);
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    for (const [index, client] of clients.entries()) {
      expect(client.all('message').map(({ message }) => message.text)).toEqual([`to ${users[index]}`, 'all']);
    }
  });

  it('§1: a device that reconnects in mid-drain is sent everything above its cursor again', async () => {
    const small = await fixture.start({ DELIVERY_WINDOW: '10' });
    const user = fixture.user();
    await fixture.send('alice', user, texts(30));
    const first = await small.connect(user);
    await eventually('a window', () => seqsOf(first.frames).length === 10);
    first.send({ type: 'ack', seq: 4, ref: 1 });
    await first.nextOf('ok');
    first.terminate();
    const second = await small.connect(user);
    expect(await second.next()).toMatchObject({ type: 'welcome', after: 4, lastSeq: 30 });
    await eventually('a window', () => seqsOf(second.frames).length === 10);
    expect(seqsOf(second.frames)).toEqual(range(5, 14));
  });

  describe('with `after`', () => {
    let user: string;
    let epoch: string;
    beforeAll(async () => {
      user = fixture.user();
      const [accepted] = await fixture.send('alice', user, texts(10));
      epoch = accepted?.epoch ?? '';
      const client = await gateway.connectLive(user);
      client.send({ type: 'ack', seq: 5, ref: 1 });
      await client.nextOf('ok');
      await client.close();
    });

    it.each([
      ['below the cursor', { after: '2' }, 2],
      ['of the beginning', { after: '0' }, 0],
      ['above the cursor', { after: '8' }, 8],
      ['of the newest', { after: '10' }, 10],
    ])('§5: one %s overrides the cursor for this connection', async (_, query, after) => {
      const client = await gateway.connect(user, { ...query, epoch });
      const welcome = await client.next();
      expect(welcome).toMatchObject({ type: 'welcome', after, lastSeq: 10, epoch });
      expect(welcome).not.toHaveProperty('reset');
      await client.nextOf('caughtUp');
      expect(seqsOf(client.frames)).toEqual(range(after + 1, 10));
      expect((await fixture.device(user)).cursor).toBe(5);
      await client.close();
    });

    it.each([
      ['beyond the inbox', { after: '11' }],
      ['far beyond it', { after: '9007199254740991' }],
      ['of another epoch', { after: '2', epoch: 'another' }],
    ])('§5: one %s is set aside: the welcome says reset and the cursor counts', async (_, query) => {
      const client = await gateway.connect(user, query);
      expect(await client.next()).toMatchObject({ type: 'welcome', after: 5, reset: true, epoch });
      await client.nextOf('caughtUp');
      expect(seqsOf(client.frames)).toEqual(range(6, 10));
      await client.close();
    });

    it('§5: an ack confirms everything up to it, also what `after` jumped over', async () => {
      const client = await gateway.connectLive(user, { device: 'jumper', after: '9' });
      client.send({ type: 'ack', seq: 10, ref: 1 });
      await client.nextOf('ok');
      expect((await fixture.device(user, 'jumper')).cursor).toBe(10);
    });
  });

  it('§1: two devices each have a cursor: what one acknowledged waits for the other, and a new one begins at 1', async () => {
    const user = fixture.user();
    await fixture.send('alice', user, texts(5));
    const phone = await gateway.connectLive(user, { device: 'phone' });
    phone.send({ type: 'ack', seq: 5, ref: 1 });
    await phone.nextOf('ok');
    const laptop = await gateway.connectLive(user, { device: 'laptop' });
    expect(seqsOf(laptop.frames)).toEqual(range(1, 5));
  });

  describe('the window', () => {
    it('§2: is 256 by default: sending stops there and goes on with acks', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(300));
      const client = await gateway.connect(user);
      await eventually('a window', () => seqsOf(client.frames).length === 256);
      client.send({ type: 'ping' });
      await client.nextOf('pong');
      expect(seqsOf(client.frames)).toEqual(range(1, 256));
      expect(client.all('caughtUp')).toEqual([]);
      expect(await gateway.metric('full_windows')).toBe(1);
      client.send({ type: 'ack', seq: 200 });
      await client.nextOf('caughtUp');
      expect(seqsOf(client.frames)).toEqual(range(1, 300));
    });

    it('§2: of 1 sends one for each ack, live ones included', async () => {
      const one = await fixture.start({ DELIVERY_WINDOW: '1' });
      const user = fixture.user();
      await fixture.send('alice', user, texts(3));
      const client = await one.connect(user);
      for (const seq of range(1, 6)) {
        expect(await client.nextOf('message')).toMatchObject({ seq });
        if (seq === 2) await fixture.send('alice', user, texts(3));
        client.send({ type: 'ping' });
        await client.nextOf('pong');
        expect(seqsOf(client.frames)).toEqual(range(1, seq));
        client.send({ type: 'ack', seq });
      }
    });
  });

  it('§5: ack=auto moves the cursor with what is written, and records delivered', async () => {
    const user = fixture.user();
    const accepted = await fixture.send('alice', user, texts(300));
    const client = await gateway.connectLive(user, { ack: 'auto' });
    expect(seqsOf(client.frames)).toEqual(range(1, 300));
    await eventually('committed', async () => (await fixture.device(user)).cursor === 300);
    await fixture.send('alice', user, ['live']);
    await eventually('committed', async () => (await fixture.device(user)).cursor === 301);
    const receipts = await fixture.database.query('SELECT 1 FROM receipt WHERE user_id = $1', [user]);
    expect(receipts).toHaveLength(accepted.length + 1);
  });

  it('§5: with ack=auto what comes while the peer closes is not written, so it is there at the next connect', async () => {
    const user = fixture.user();
    const closing = await RawClient.open(gateway.port, user, '?ack=auto');
    await eventually('caught up', () => closing.received.includes('caughtUp'));
    // A close frame, and no end of the stream: the gateway's socket is closing, not closed.
    closing.write(frame(8, Buffer.from([0x03, 0xe8])));
    await closing.closeCode();
    await fixture.send('alice', user, ['while it closes']);
    expect((await fixture.device(user)).cursor).toBe(0);
    const client = await gateway.connectLive(user, { ack: 'auto' });
    expect(seqsOf(client.frames)).toEqual([1]);
    closing.socket.destroy();
  });

  it('§2: a reader that stops reading is not sent more than MAX_BUFFERED_BYTES (bytes, not characters), and closed with 4413', async () => {
    const limit = 65_536;
    const slow = await fixture.start({
      MAX_BUFFERED_BYTES: String(limit),
      SLOW_CONSUMER_MS: '400',
      DELIVERY_WINDOW: '10000',
    });
    const user = fixture.user();
    const large = '€'.repeat(50_000);
    const largeBytes = Buffer.byteLength(large);
    const count = Math.ceil(20_000_000 / largeBytes); // more than the kernel keeps
    for (let sent = 0; sent < count; sent += 20) {
      await fixture.commit('alice', user, Array<string>(Math.min(20, count - sent)).fill(large));
    }
    const other = await slow.connectLive(fixture.user());
    const reader = await RawClient.open(slow.port, user);
    reader.socket.pause();

    let most = 0;
    await eventually('4413', async () => {
      most = Math.max(most, await slow.metric('buffered_bytes'));
      return (await slow.metric('closes_total', { code: '4413' })) === 1;
    });
    expect(most).toBeGreaterThanOrEqual(Math.max(limit, largeBytes));
    expect(most).toBeLessThan(limit + 2 * largeBytes);
    expect(await slow.metric('deliveries_total')).toBeLessThan(count);
    await eventually('presence gone', async () => Object.keys(await fixture.presence(user)).length === 0);
    reader.socket.resume();
    await reader.ended;
    other.send({ type: 'ping' });
    expect(await other.next()).toEqual({ type: 'pong' });
  });

  it('§2: a reader that pauses and goes on gets everything in order', async () => {
    const slow = await fixture.start({ MAX_BUFFERED_BYTES: '65536', DELIVERY_WINDOW: '10000' });
    const user = fixture.user();
    for (let sent = 0; sent < 300; sent += 20)
      await fixture.commit('alice', user, Array<string>(20).fill('y'.repeat(50_000)));
    const client = await slow.connect(user);
    client.socket.pause();
    await eventually('paused', async () => (await slow.metric('buffered_bytes')) >= 65_536);
    client.socket.resume();
    await client.nextOf('caughtUp');
    expect(seqsOf(client.frames)).toEqual(range(1, 300));
  });
});
