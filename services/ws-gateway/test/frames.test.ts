import { randomUUID } from 'node:crypto';
import { mintToken } from '@posthorn/stack';
import { eventually, TEST_SECRET, type TestClient } from '@posthorn/testing';
import { GatewayFixture, range, signToken, type TestGateway, texts } from './gateway.fixture';
import { frame, RawClient } from './raw-client.fixture';

const TEXT = 1;
const CONTINUATION = 0;
const CLOSE = 8;
const PING = 9;

describe('frames of a client', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start({ RATE_LIMIT_FRAMES: '0' });
  });
  afterAll(() => fixture.close());

  /** A live connection of a new user, whose inbox holds `count` messages of `sender`. */
  async function receiver(
    count: number,
  ): Promise<{ user: string; sender: string; ids: string[]; client: TestClient }> {
    const [user, sender] = [fixture.user(), fixture.user('sender')];
    const accepted = count === 0 ? [] : await fixture.send(sender, user, texts(count));
    const client = await gateway.connectLive(user);
    return { user, sender, ids: accepted.map(({ message }) => message.id), client };
  }

  async function receiptsOf(user: string): Promise<{ message_id: string; isRead: boolean }[]> {
    return await fixture.database.query(
      'SELECT message_id, read_at IS NOT NULL AS "isRead" FROM receipt WHERE user_id = $1',
      [user],
    );
  }

  async function pongs(...sent: Buffer[]): Promise<boolean> {
    const client = await RawClient.open(gateway.port, fixture.user());
    client.write(Buffer.concat(sent));
    const answer = '{"type":"pong","ref":1}';
    await eventually('answered', () => client.received.includes(answer) || client.socket.readableEnded);
    client.socket.destroy();
    return client.received.includes(answer);
  }

  async function closeCodeAfter(...sent: Buffer[]): Promise<number> {
    const client = await RawClient.open(gateway.port, fixture.user());
    client.write(Buffer.concat(sent));
    const code = await client.closeCode();
    client.socket.destroy();
    return code;
  }

  describe('ack', () => {
    it('§5: moves the cursor and records delivered; ok follows with the ref, a string or a number', async () => {
      const { user, ids, client } = await receiver(3);
      client.send({ type: 'ack', seq: 2, ref: 'a' });
      expect(await client.next()).toEqual({ type: 'ok', ref: 'a' });
      expect((await fixture.device(user)).cursor).toBe(2);
      expect((await receiptsOf(user)).map((row) => row.message_id).sort()).toEqual(ids.slice(0, 2).sort());
      client.send({ type: 'ack', seq: 3, ref: 7 });
      expect(await client.next()).toEqual({ type: 'ok', ref: 7 });
      expect((await fixture.device(user)).cursor).toBe(3);
    });

    it('§5: without a ref gets no answer, and is committed all the same', async () => {
      const { user, client } = await receiver(1);
      client.send({ type: 'ack', seq: 1 });
      await eventually('committed', async () => (await fixture.device(user)).cursor === 1);
      client.send({ type: 'ping' });
      expect(await client.next()).toEqual({ type: 'pong' });
    });

    it('§5: repeated or lower gets ok, and the cursor stays', async () => {
      const { user, client } = await receiver(3);
      for (const seq of [3, 3, 1, 0]) {
        client.send({ type: 'ack', seq, ref: seq });
        expect(await client.next()).toEqual({ type: 'ok', ref: seq });
      }
      expect((await fixture.device(user)).cursor).toBe(3);
    });

    it('§5: beyond what was sent gets an error frame and changes nothing', async () => {
      const { user, client } = await receiver(2);
      client.send({ type: 'ack', seq: 3, ref: 'x' });
      expect(await client.next()).toMatchObject({ type: 'error', ref: 'x', code: 'ack_beyond_sent' });
      expect((await fixture.device(user)).cursor).toBe(0);
      expect(await receiptsOf(user)).toEqual([]);
      expect(await gateway.metric('bad_frames_total', { code: 'ack_beyond_sent' })).toBe(1);
    });

    it('§5: many at once are committed together, in order, each answered', async () => {
      const { user, client } = await receiver(50);
      const unlock = await fixture.lockDevices();
      const before = await gateway.metric('acks_total', { outcome: 'committed' });
      for (let count = 0; count < 300; count++)
        client.send({ type: 'ack', seq: 1 + (count % 50), ref: count });
      client.send({ type: 'ping' });
      await client.nextOf('pong');
      await unlock();
      await eventually('all answered', () => client.all('ok').length === 300);
      expect(client.all('ok').map(({ ref }) => ref)).toEqual(range(0, 299));
      expect((await fixture.device(user)).cursor).toBe(50);
      // What came while the first was under way goes together.
      expect((await gateway.metric('acks_total', { outcome: 'committed' })) - before).toBe(2);
    });
  });

  describe('read', () => {
    it('§5: records read, which implies delivered; repeats, other letter case and a second time are fine', async () => {
      const { user, ids, client } = await receiver(2);
      const [first = '', second = ''] = ids;
      client.send({ type: 'read', ids: [first, first.toUpperCase(), second], ref: 1 });
      expect(await client.next()).toEqual({ type: 'ok', ref: 1 });
      expect((await receiptsOf(user)).every(({ isRead }) => isRead)).toBe(true);
      client.send({ type: 'read', ids: [first], ref: 2 });
      expect(await client.next()).toEqual({ type: 'ok', ref: 2 });
      expect(await receiptsOf(user)).toHaveLength(2);
      expect((await fixture.device(user)).cursor).toBe(0);
    });

    it('§5: of a message that is not in the inbox gets an error frame, and nothing of it is recorded', async () => {
      const { user, sender, ids, client } = await receiver(1);
      const foreign = await receiver(1);
      for (const id of [randomUUID(), ...foreign.ids]) {
        client.send({ type: 'read', ids: [...ids, id], ref: id });
        expect(await client.next()).toMatchObject({ type: 'error', ref: id, code: 'not_in_inbox' });
      }
      expect(await receiptsOf(user)).toEqual([]);
      expect(await receiptsOf(foreign.user)).toEqual([]);

      const author = await gateway.connectLive(sender);
      author.send({ type: 'read', ids, ref: 'own' });
      expect(await author.next()).toMatchObject({ type: 'error', ref: 'own', code: 'not_in_inbox' });
      expect(await receiptsOf(sender)).toEqual([]);
    });
  });

  describe('auth', () => {
    it('§5: with a fresh token of the same user gets ok', async () => {
      const { user, client } = await receiver(0);
      client.send({
        type: 'auth',
        token: await mintToken({ user, secret: TEST_SECRET, ttlS: 7_200 }),
        ref: 'r',
      });
      expect(await client.next()).toEqual({ type: 'ok', ref: 'r' });
    });

    it('§5: with the token of another user or a bad one gets an error frame, and the connection lives on', async () => {
      const { user, client } = await receiver(0);
      client.send({ type: 'auth', token: await mintToken({ user: 'eve', secret: TEST_SECRET }), ref: 1 });
      expect(await client.next()).toMatchObject({ type: 'error', ref: 1, code: 'wrong_user' });
      const expired = signToken({ sub: user, exp: Math.floor(Date.now() / 1_000) - 60 });
      for (const token of ['garbage', signToken({ sub: user }), expired]) {
        client.send({ type: 'auth', token, ref: 2 });
        const answer = await client.next();
        expect(answer).toMatchObject({ type: 'error', ref: 2, code: 'invalid_token' });
        expect(JSON.stringify(answer)).not.toContain(token);
      }
      client.send({ type: 'ping', ref: 3 });
      expect(await client.next()).toEqual({ type: 'pong', ref: 3 });
    });
  });

  describe('a bad frame', () => {
    it.each<[string, string, string | number | undefined, string]>([
      ['empty text', '', undefined, 'invalid_json'],
      ['white space', ' '.repeat(1_024), undefined, 'invalid_json'],
      ['no JSON', '{"type":"ping"', undefined, 'invalid_json'],
      ['a scalar', '7', undefined, 'invalid_json'],
      ['null', 'null', undefined, 'invalid_json'],
      ['an array', '[{"type":"ping"}]', undefined, 'invalid_json'],
      ['no type', '{"ref":"a"}', 'a', 'unknown_type'],
      ['an unknown type', '{"type":"send","ref":"a"}', 'a', 'unknown_type'],
      ['a type of the server', '{"type":"welcome"}', undefined, 'unknown_type'],
      ['a type that objects inherit', '{"type":"constructor"}', undefined, 'unknown_type'],
      ['a ref that is an object', '{"type":"ping","ref":{}}', undefined, 'invalid_field'],
      ['a ref of 129 characters', `{"type":"ping","ref":"${'r'.repeat(129)}"}`, undefined, 'invalid_field'],
      ['an ack without seq', '{"type":"ack","ref":1}', 1, 'invalid_field'],
      ['a negative seq', '{"type":"ack","seq":-1,"ref":1}', 1, 'invalid_field'],
      ['a broken seq', '{"type":"ack","seq":1.5,"ref":1}', 1, 'invalid_field'],
      ['a seq as text', '{"type":"ack","seq":"7","ref":1}', 1, 'invalid_field'],
      ['a seq of 2^63', '{"type":"ack","seq":9223372036854775808,"ref":1}', 1, 'invalid_field'],
      ['a read of nothing', '{"type":"read","ids":[],"ref":1}', 1, 'invalid_field'],
      ['a read of no id', '{"type":"read","ids":["x"],"ref":1}', 1, 'invalid_field'],
      ['a read of one id as text', `{"type":"read","ids":"${randomUUID()}"}`, undefined, 'invalid_field'],
      [
        'a read of 101 ids',
        JSON.stringify({ type: 'read', ids: Array.from({ length: 101 }, () => randomUUID()) }),
        undefined,
        'invalid_field',
      ],
      ['an auth without token', '{"type":"auth","ref":1}', 1, 'invalid_field'],
      ['an auth with an empty token', '{"type":"auth","token":"","ref":1}', 1, 'invalid_field'],
      ['a user smuggled into an ack', '{"type":"ack","seq":1,"user":"eve","ref":1}', 1, 'unknown_field'],
      ['a device smuggled into an ack', '{"type":"ack","seq":1,"device":"x","ref":1}', 1, 'unknown_field'],
      [
        'a sender smuggled into a read',
        `{"type":"read","ids":["${randomUUID()}"],"from":"eve","ref":1}`,
        1,
        'unknown_field',
      ],
      ['a prototype smuggled into a ping', '{"type":"ping","__proto__":{},"ref":1}', 1, 'unknown_field'],
    ])(
      '§5: (%s) gets an error frame that echoes its ref, and changes nothing',
      async (_, text, ref, code) => {
        const { user, client } = await receiver(1);
        client.sendText(text);
        const answer = await client.next();
        expect(answer).toEqual({
          type: 'error',
          code,
          detail: expect.any(String) as string,
          ...(ref === undefined ? {} : { ref }),
        });
        expect((await fixture.device(user)).cursor).toBe(0);
        expect(await receiptsOf(user)).toEqual([]);
        await client.close();
      },
    );

    it('§5: the twentieth in a row closes with 1008, after its error frame', async () => {
      const { client } = await receiver(1);
      for (let count = 0; count < 20; count++)
        client.sendText(count % 2 === 0 ? 'no' : '{"type":"ack","seq":99}');
      expect((await client.closed).code).toBe(1008);
      expect(client.all('error')).toHaveLength(20);
    });

    it.each<[string, (ids: string[], user: string) => Promise<string>]>([
      ['a ping', async () => '{"type":"ping"}'],
      ['an ack', async () => '{"type":"ack","seq":0}'],
      ['a read', async (ids) => JSON.stringify({ type: 'read', ids, ref: 'good' })],
      [
        'an auth',
        async (_, user) =>
          JSON.stringify({
            type: 'auth',
            token: await mintToken({ user, secret: TEST_SECRET }),
            ref: 'good',
          }),
      ],
    ])('§5: a good frame in between (%s) resets the count', async (_, good) => {
      const { user, ids, client } = await receiver(1);
      for (let count = 0; count < 19; count++) client.sendText('no');
      const text = await good(ids, user);
      client.sendText(text);
      if (text.includes('"ref"')) await client.nextOf('ok');
      for (let count = 0; count < 19; count++) client.sendText('no');
      client.send({ type: 'ping', ref: 'alive' });
      await eventually('answered', () => client.all('pong').some(({ ref }) => ref === 'alive'));
      expect(client.all('error')).toHaveLength(38);
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    });
  });

  describe('on the wire', () => {
    it('§5: text of exactly 64 KiB is fine, whole or in fragments', async () => {
      expect(await pongs(frame(TEXT, padded(65_536)))).toBe(true);
      expect(
        await pongs(
          frame(TEXT, padded(65_536).slice(0, 30_000), false),
          frame(PING, 'in between'),
          frame(CONTINUATION, padded(65_536).slice(30_000)),
        ),
      ).toBe(true);
    });

    it('§5: valid UTF-8 may be split anywhere', async () => {
      const bytes = Buffer.from('{"type":"ping","ref":1}  ');
      const [euro, head] = [Buffer.from('{"type":"ping","ref":"€"}'), 22];
      expect(
        await pongs(frame(TEXT, bytes.subarray(0, 3), false), frame(CONTINUATION, bytes.subarray(3))),
      ).toBe(true);
      const client = await RawClient.open(gateway.port, fixture.user());
      client.write(
        Buffer.concat([
          frame(TEXT, euro.subarray(0, head + 1), false),
          frame(CONTINUATION, euro.subarray(head + 1)),
        ]),
      );
      await eventually('answered', () => client.received.includes('"ref":"€"'));
      client.socket.destroy();
    });

    it('§5: text over 64 KiB closes with 1009, whole, in fragments, or as declared only', async () => {
      expect(await closeCodeAfter(frame(TEXT, padded(65_537)))).toBe(1009);
      expect(
        await closeCodeAfter(
          frame(TEXT, padded(65_537).slice(0, 40_000), false),
          frame(CONTINUATION, padded(65_537).slice(40_000)),
        ),
      ).toBe(1009);
      const declared = Buffer.alloc(14);
      declared.writeUInt16BE(0x81ff, 0);
      declared.writeBigUInt64BE(2n ** 62n, 2);
      expect(await closeCodeAfter(declared)).toBe(1009);
    });

    it('§5: binary closes with 1003', async () => {
      expect(await closeCodeAfter(frame(2, '{"type":"ping"}'))).toBe(1003);
    });

    it.each([
      ['a stray byte', [0x22, 0xff, 0x22]],
      ['an overlong form', [0xc0, 0xaf]],
      ['half a surrogate pair', [0xed, 0xa0, 0x80]],
      ['a cut sequence', [0xe2, 0x82]],
    ])('§5: text that is not UTF-8 closes with 1007: %s', async (_, bytes) => {
      expect(await closeCodeAfter(frame(TEXT, Buffer.from(bytes)))).toBe(1007);
    });

    it('§5: a close reason that is not UTF-8 closes with 1007', async () => {
      expect(await closeCodeAfter(frame(CLOSE, Buffer.from([0x03, 0xe8, 0xff])))).toBe(1007);
    });

    it.each([0, 999, 1004, 1005, 1006, 1016, 2999, 5000])(
      '§5: the close code %i is answered with 1002',
      async (code) => {
        expect(await closeCodeAfter(closing(code))).toBe(1002);
      },
    );

    it('§5: a close frame of one byte is answered with 1002', async () => {
      expect(await closeCodeAfter(frame(CLOSE, Buffer.from([3])))).toBe(1002);
    });

    it.each([1000, 1001, 3000, 4999])('§5: the close code %i is echoed', async (code) => {
      expect(await closeCodeAfter(closing(code))).toBe(code);
    });

    it('an unmasked frame closes with 1002', async () => {
      expect(await closeCodeAfter(Buffer.from([0x81, 0x02, 0x7b, 0x7d]))).toBe(1002);
    });
  });

  describe('beyond the limit of frames', () => {
    let limited: TestGateway;
    // Time stands still: what a busy gateway takes to read them all would be time for more of them.
    beforeAll(async () => {
      limited = await fixture.start({ RATE_LIMIT_FRAMES: '10' }, { now: () => 0 });
    });

    it('§2: pings in one write close with 4429 beyond the burst, and are all answered below it', async () => {
      const usual = await fixture.start({}, { now: () => 0 });
      const pings = (count: number): Buffer =>
        Buffer.concat(Array.from({ length: count }, () => frame(PING, '')));
      const flooding = await RawClient.open(usual.port, fixture.user());
      flooding.write(pings(500));
      expect(await flooding.closeCode()).toBe(4429);
      const busy = await RawClient.open(usual.port, fixture.user());
      busy.write(Buffer.concat([pings(300), frame(TEXT, '{"type":"ping","ref":1}')]));
      await eventually('answered', () => busy.received.includes('{"type":"pong","ref":1}'));
      for (const client of [flooding, busy]) client.socket.destroy();
    });

    it('§2: text frames close with 4429 after the burst of 4 times the rate', async () => {
      const client = await limited.connectLive(fixture.user());
      for (let count = 0; count < 100; count++) client.send({ type: 'ping' });
      expect((await client.closed).code).toBe(4429);
      expect(client.all('pong')).toHaveLength(40);
    });

    it('§2: protocol pings count, too', async () => {
      const client = await limited.connectLive(fixture.user());
      for (let count = 0; count < 100; count++) client.socket.ping();
      expect((await client.closed).code).toBe(4429);
    });

    it('§2: bad frames count, too, and other connections do not', async () => {
      const client = await limited.connectLive(fixture.user());
      const other = await limited.connectLive(fixture.user());
      for (let count = 0; count < 100; count++) client.sendText(count % 10 === 0 ? '{"type":"ping"}' : 'no');
      expect((await client.closed).code).toBe(4429);
      other.send({ type: 'ping' });
      expect(await other.next()).toEqual({ type: 'pong' });
    });
  });
});

/** A good frame of this many bytes. */
function padded(bytes: number): string {
  return '{"type":"ping","ref":1}'.padEnd(bytes, ' ');
}

function closing(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(CLOSE, payload);
}
