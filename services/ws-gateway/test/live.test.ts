import { randomUUID } from 'node:crypto';
import { type AcceptedMessage, readEntriesOfEpoch } from '@posthorn/inbox';
import { asSeenBy } from '@posthorn/protocol';
import type { EntriesItem, GatewayNotice } from '@posthorn/routing';
import { eventually, FaultProxy, whenBlocked } from '@posthorn/testing';
import { GatewayFixture, range, seqsOf, type TestGateway, texts } from './gateway.fixture';

// As it is; only its calls are counted.
jest.mock('@posthorn/inbox', () => {
  const actual = jest.requireActual<typeof import('@posthorn/inbox')>('@posthorn/inbox');
  return { ...actual, readEntriesOfEpoch: jest.fn(actual.readEntriesOfEpoch) };
});

describe('live delivery', () => {
  let fixture: GatewayFixture;
  let a: TestGateway;
  let b: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    a = await fixture.start();
    b = await fixture.start();
  });
  afterAll(async () => {
    expect(await a.metric('reconcile_repairs_total')).toBe(0);
    await fixture.close();
  });

  async function publish(gateway: TestGateway, notice: GatewayNotice | string): Promise<void> {
    const text = typeof notice === 'string' ? notice : JSON.stringify(notice);
    expect(await fixture.redis.client.publish(fixture.keys.channel(gateway.id ?? ''), text)).toBe(1);
  }

  it('§1: sends what is published, at once and to all devices of the user on all gateways', async () => {
    const user = fixture.user();
    const clients = [
      await a.connectLive(user, { device: 'phone' }),
      await a.connectLive(user, { device: 'laptop' }),
      await b.connectLive(user, { device: 'tablet' }),
    ];
    const [accepted] = await fixture.send('alice', user, ['hello']);
    for (const client of clients) {
      expect(await client.next()).toEqual({
        type: 'message',
        seq: 1,
        message: {
          id: accepted?.message.id,
          from: 'alice',
          text: 'hello',
          createdAt: accepted?.message.createdAt,
        },
      });
    }
    expect(await a.metric('deliveries_total', { source: 'live' })).toBe(2);
    expect(await a.metric('delivery_lag_seconds')).toBeGreaterThan(0);
  });

  it('§1: fills the hole from Postgres when a publish was lost', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const gapsBefore = await a.metric('gap_fills_total');
    await fixture.commit('alice', user, texts(70, 'lost'));
    await fixture.send('alice', user, ['arrived']);
    await eventually('all here', () => client.all('message').length === 71);
    expect(seqsOf(client.frames)).toEqual(range(1, 71));
    expect(await a.metric('gap_fills_total')).toBeGreaterThan(gapsBefore);
  });

  it('§1: sends what is published out of order in order, without asking Postgres', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const accepted = await fixture.commit('alice', user, texts(5));
    const gapsBefore = await a.metric('gap_fills_total');
    await publish(a, { type: 'entries', items: accepted.toReversed().map((each) => itemOf(each, user)) });
    await eventually('all here', () => client.all('message').length === 5);
    expect(seqsOf(client.frames)).toEqual(range(1, 5));
    expect(await a.metric('gap_fills_total')).toBe(gapsBefore);
  });

  it('§1: drops what is published twice', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const accepted = await fixture.commit('alice', user, texts(3));
    for (const _ of range(1, 3)) await fixture.route(accepted);
    await fixture.send('alice', user, ['last']);
    await eventually('the last', () => client.all('message').length === 4);
    expect(seqsOf(client.frames)).toEqual(range(1, 4));
  });

  it.each([
    ['with a message', true],
    ['without one', false],
  ])('§1: a hint beyond the inbox (%s) neither blocks nor loops', async (_, hasMessage) => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const [accepted] = await fixture.send('alice', user, ['true']);
    if (accepted === undefined) throw new Error('nothing was accepted');
    await client.nextOf('message');
    const forged: EntriesItem = {
      epoch: accepted.epoch,
      to: [[user, 1_000_000]],
      ...(hasMessage ? { message: { id: randomUUID(), from: 'eve', text: 'false', createdAt: A_TIME } } : {}),
    };
    const readingsBefore = readings(user);
    await publish(a, { type: 'entries', items: [forged] });
    await fixture.send('alice', user, texts(3));
    await eventually('all here', () => client.all('message').length === 4);
    // The forgery and each message may ask once; a loop would ask at every turn.
    for (let count = 0; count < 20; count++) {
      client.send({ type: 'ping' });
      await client.nextOf('pong');
    }
    expect(readings(user) - readingsBefore).toBeLessThanOrEqual(4);
    expect(seqsOf(client.frames)).toEqual(range(1, 4));
    expect(JSON.stringify(client.frames)).not.toContain('false');
  });

  it('§1: entries of another epoch are dropped', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const message = { id: randomUUID(), from: 'alice', text: 'of another life', createdAt: A_TIME };
    await publish(a, { type: 'entries', items: [{ epoch: 'another', message, to: [[user, 1]] }] });
    await publish(a, { type: 'entries', items: [{ epoch: 'another', to: [[user, 1]] }] });
    await fixture.send('alice', user, ['of this life']);
    expect((await client.nextOf('message')).message.text).toBe('of this life');
  });

  it('§6: rubbish on the channel is dropped and counted, and ends neither the gateway nor a connection', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const epoch = client.all('welcome')[0]?.epoch ?? '';
    for (const text of [
      'rubbish',
      '{}',
      '[]',
      '{"type":"entries"}',
      '{"type":"entries","items":[{"epoch":1,"to":[]}]}',
      `{"type":"entries","items":[{"epoch":"e","to":[["${user}",0]]}]}`,
      `{"type":"takeover","user":"${user}","device":"default","epoch":"e","fence":"99"}`,
      poisoned(user, epoch, '"createdAt":"rubbish"'),
      poisoned(
        user,
        epoch,
        `"createdAt":"${A_TIME}","data":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      ),
      'x'.repeat(500_000),
    ]) {
      await publish(a, text);
    }
    await fixture.send('alice', user, ['still served']);
    expect((await client.nextOf('message')).message.text).toBe('still served');
    expect(await a.metric('rubbish_notices_total')).toBe(10);
  });

  it('§5: a forged receipt or takeover of another device changes nothing for this one', async () => {
    const user = fixture.user();
    const client = await a.connectLive(user);
    const epoch = client.all('welcome')[0]?.epoch ?? '';
    await publish(a, { type: 'takeover', user, device: 'other', fence: 99, epoch });
    await publish(a, { type: 'takeover', user, device: 'default', fence: 1, epoch });
    await publish(a, { type: 'takeover', user, device: 'default', fence: 99, epoch: 'another' });
    await fixture.send('alice', user, ['here']);
    expect((await client.nextOf('message')).message.text).toBe('here');
  });

  describe('receipts', () => {
    it('§5: tell the sender of delivered, then read, on all its devices and gateways', async () => {
      const [sender, user] = [fixture.user('sender'), fixture.user()];
      const tellees = [
        await a.connectLive(sender, { device: 'phone' }),
        await b.connectLive(sender, { device: 'laptop' }),
      ];
      const client = await a.connectLive(user);
      const [accepted] = await fixture.send(sender, user, ['hello']);
      const id = accepted?.message.id ?? '';
      await client.nextOf('message');
      client.send({ type: 'ack', seq: 1 });
      client.send({ type: 'ack', seq: 1 });
      for (const tellee of tellees) {
        expect(await tellee.next()).toEqual({
          type: 'receipt',
          id,
          user,
          status: 'delivered',
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        });
      }
      client.send({ type: 'read', ids: [id] });
      client.send({ type: 'read', ids: [id], ref: 'again' });
      for (const tellee of tellees) expect(await tellee.next()).toMatchObject({ id, user, status: 'read' });
      await client.nextOf('ok');
      expect(tellees.flatMap((tellee) => tellee.all('receipt'))).toHaveLength(4);
      expect(client.all('receipt')).toEqual([]);
    });

    it('§5: a read without an earlier ack makes one frame, read; the ack after it makes none', async () => {
      const [sender, user] = [fixture.user('sender'), fixture.user()];
      const tellee = await b.connectLive(sender);
      const client = await a.connectLive(user);
      const [accepted] = await fixture.send(sender, user, ['hello']);
      await client.nextOf('message');
      client.send({ type: 'read', ids: [accepted?.message.id ?? ''], ref: 1 });
      await client.nextOf('ok');
      client.send({ type: 'ack', seq: 1, ref: 2 });
      await client.nextOf('ok');
      expect(await tellee.next()).toMatchObject({ type: 'receipt', status: 'read' });
      // What the ack would have told went the same way as this one.
      const [next] = await fixture.send(sender, user, ['next']);
      await client.nextOf('message');
      client.send({ type: 'ack', seq: 2 });
      expect(await tellee.next()).toMatchObject({ id: next?.message.id, status: 'delivered' });
    });

    it('§4: delivered is told once, by the first of two devices', async () => {
      const [sender, user] = [fixture.user('sender'), fixture.user()];
      const tellee = await a.connectLive(sender);
      const devices = [
        await a.connectLive(user, { device: 'one' }),
        await b.connectLive(user, { device: 'two' }),
      ];
      await fixture.send(sender, user, ['hello']);
      for (const device of devices) {
        await device.nextOf('message');
        device.send({ type: 'ack', seq: 1, ref: 1 });
        await device.nextOf('ok');
      }
      await tellee.nextOf('receipt');
      tellee.send({ type: 'ping' });
      await tellee.nextOf('pong');
      expect(tellee.all('receipt')).toHaveLength(1);
    });

    it('§5: nobody but the sender gets them', async () => {
      const [sender, user, other] = [fixture.user('sender'), fixture.user(), fixture.user('other')];
      const clients = await Promise.all([user, other].map((each) => a.connectLive(each)));
      const tellee = await a.connectLive(sender);
      await fixture.send(sender, [user, other], ['hello']);
      for (const client of clients) {
        await client.nextOf('message');
        client.send({ type: 'ack', seq: 1, ref: 1 });
        await client.nextOf('ok');
      }
      await eventually('two receipts', () => tellee.all('receipt').length === 2);
      for (const client of clients) expect(client.all('receipt')).toEqual([]);
    });
  });

  it('§5: a receipt may name a message that this device of its sender has not seen yet, which comes in its turn', async () => {
    const narrow = await fixture.start({ DELIVERY_WINDOW: '1' });
    const [sender, user] = [fixture.user('sender'), fixture.user()];
    const tellee = await narrow.connectLive(sender);
    const client = await a.connectLive(user);
    await fixture.send('alice', sender, ['in the way']);
    await tellee.nextOf('message');
    const [accepted] = await fixture.send(sender, [user, sender], ['to both']);
    await client.nextOf('message');
    client.send({ type: 'ack', seq: 1 });
    expect(await tellee.next()).toMatchObject({
      type: 'receipt',
      id: accepted?.message.id,
      status: 'delivered',
    });
    tellee.send({ type: 'ack', seq: 1 });
    expect((await tellee.nextOf('message')).message.id).toBe(accepted?.message.id);
  });

  it('§5: a message of which a part cannot be encoded comes in its turn without it, marked, and holds nothing up', async () => {
    const [user, other] = [fixture.user(), fixture.user()];
    const [client, neighbour] = [await a.connectLive(user), await a.connectLive(other)];
    const [, poisonous] = await fixture.commit('alice', [user, other], texts(3));
    const id = poisonous?.message.id ?? '';
    await fixture.database.query(
      `UPDATE message SET data = ('{"a":' || repeat('[', 6000) || repeat(']', 6000) || '}')::json WHERE id = $1`,
      [id],
    );
    await fixture.send('alice', [user, other], ['after it']);
    for (const { frames, all } of [client, neighbour].map((each) => ({
      frames: each.frames,
      all: () => each.all('message'),
    }))) {
      await eventually('all here', () => all().length === 4);
      expect(seqsOf(frames)).toEqual(range(1, 4));
      expect(all().map(({ incomplete }) => incomplete)).toEqual([undefined, true, undefined, undefined]);
      expect(all()[1]?.message).toEqual({
        id,
        from: 'alice',
        text: 'm2',
        createdAt: expect.any(String) as string,
      });
    }
    expect(await a.metric('incomplete_messages_total')).toBe(2);
    expect(a.lines.filter(({ message }) => message === 'a message could not be encoded')).toHaveLength(2);
  });

  describe('with Postgres behind a proxy', () => {
    let proxy: FaultProxy;
    let gateway: TestGateway;
    beforeAll(async () => {
      proxy = await FaultProxy.open(fixture.database.url);
      gateway = await fixture.start({
        DATABASE_URL: proxy.through(fixture.database.url),
        RECONCILE_INTERVAL_MS: '1000',
      });
    });
    afterEach(() => {
      proxy.mode = 'pass';
    });
    afterAll(async () => {
      await gateway.stop();
      await proxy.close();
    });

    it('§5: an ok follows the commit only: none comes where the outcome is unknown, though it was committed', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(1));
      const client = await gateway.connectLive(user);
      const unlock = await fixture.lockDevices();
      client.send({ type: 'ack', seq: 1, ref: 'unknown' });
      await whenBlocked(fixture.database);
      proxy.mode = 'drop-replies';
      await unlock();
      await eventually('committed', async () => (await fixture.device(user)).cursor === 1);
      expect(client.all('ok')).toEqual([]);
      proxy.mode = 'reset';
      expect(await client.next()).toMatchObject({ type: 'error', ref: 'unknown', code: 'unavailable' });
      proxy.mode = 'pass';
      await eventually('ok', async () => {
        client.send({ type: 'ack', seq: 1, ref: 'again' });
        return (await client.next()).type === 'ok';
      });
    });

    it('§5: while Postgres is out of reach ack and read get `unavailable`, which is no bad frame, and the connection stays', async () => {
      const [user, sender] = [fixture.user(), fixture.user('sender')];
      const [first] = await fixture.send(sender, user, texts(2));
      const ids = [first?.message.id ?? ''];
      const client = await gateway.connectLive(user);
      proxy.mode = 'reset';
      for (const ref of range(1, 12)) {
        client.send({ type: 'ack', seq: 2, ref });
        expect(await client.next()).toMatchObject({ type: 'error', ref, code: 'unavailable' });
        client.send({ type: 'read', ids, ref });
        expect(await client.next()).toMatchObject({ type: 'error', ref, code: 'unavailable' });
      }
      expect(client.socket.readyState).toBe(client.socket.OPEN);
      expect((await fixture.device(user)).cursor).toBe(0);

      proxy.mode = 'pass';
      client.send({ type: 'read', ids, ref: 'read' });
      expect(await client.next()).toEqual({ type: 'ok', ref: 'read' });
    });

    it('§5: what was acknowledged in an outage is committed after it, without a word of the client', async () => {
      const user = fixture.user();
      await fixture.send('alice', user, texts(2));
      const client = await gateway.connectLive(user);
      proxy.mode = 'reset';
      client.send({ type: 'ack', seq: 2, ref: 1 });
      expect(await client.next()).toMatchObject({ type: 'error', code: 'unavailable' });
      proxy.mode = 'pass';
      await eventually('committed', async () => (await fixture.device(user)).cursor === 2);
    });

    it('§5: messages go on to flow live while Postgres is out of reach, and a hole is filled when it is back', async () => {
      const user = fixture.user();
      const client = await gateway.connectLive(user);
      proxy.mode = 'reset';
      await fixture.send('alice', user, ['inline']);
      expect(await client.nextOf('message')).toMatchObject({ seq: 1 });
      await fixture.commit('alice', user, ['lost']);
      await fixture.send('alice', user, ['beyond the hole']);
      proxy.mode = 'pass';
      await eventually('all here', () => client.all('message').length === 3);
      expect(seqsOf(client.frames)).toEqual([1, 2, 3]);
    });
  });
});

/** A time as messages carry it. */
const A_TIME = '2026-11-22T12:00:00.000Z';

/** A notice of a message with these fields, JSON text. */
function poisoned(user: string, epoch: string, fields: string): string {
  return `{"type":"entries","items":[{"epoch":"${epoch}","to":[["${user}",1]],"message":{"id":"x","from":"eve",${fields}}}]}`;
}

/** What send-api publishes of a message. */
function itemOf({ message, epoch, entries }: AcceptedMessage, user: string): EntriesItem {
  const seq = entries.find((entry) => entry.user === user)?.seq ?? 0;
  return { epoch, message: asSeenBy(user, message), to: [[user, seq]] };
}

/** How often the inbox was read from Postgres. */
function readings(user: string): number {
  return jest
    .mocked(readEntriesOfEpoch)
    .mock.calls.filter(([, queries]) => queries.some((query) => query.user === user)).length;
}
