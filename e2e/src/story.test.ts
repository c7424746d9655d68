import { eventually, redisKinds } from '@posthorn/testing';
import { World } from './fixture';

describe.each(redisKinds)('a message through two of each service, Redis: %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.start({
      patientWith: ['postgres', 'redis'],
      ...(kind === 'single' ? {} : { ownRedis: kind }),
    });
  });

  afterAll(() => world.stop());

  it('§1: waits for an offline recipient in the offline list and arrives when the recipient connects', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const message = await world.send(alice, bob, 'while you were away');
    const listed = await world.redis.client.lrange(`${world.redis.prefix}{${bob}}:offline`, 0, -1);
    expect(listed.map((text) => JSON.parse(text) as object)).toMatchObject([
      { seq: 1, message: { id: message.id } },
    ]);

    const client = await world.connect(bob);
    expect(await client.next()).toMatchObject({ type: 'welcome', user: bob, after: 0, lastSeq: 1 });
    expect(await client.next()).toMatchObject({
      type: 'message',
      seq: 1,
      message: { id: message.id, from: alice, text: 'while you were away', createdAt: message.createdAt },
    });
    expect(await client.next()).toEqual({ type: 'caughtUp', seq: 1 });
  });

  it('§1: arrives live, on whichever gateway, and both receipts come back', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const sender = await world.connect(alice, {}, 0);
    const recipient = await world.connect(bob, {}, 1);
    await Promise.all([sender.nextOf('caughtUp'), recipient.nextOf('caughtUp')]);

    const message = await world.send(alice, bob, 'hello');
    expect(await recipient.nextOf('message')).toMatchObject({ seq: 1, message: { id: message.id } });
    recipient.send({ type: 'ack', seq: 1, ref: 'a' });
    expect(await recipient.nextOf('ok')).toEqual({ type: 'ok', ref: 'a' });
    expect(await sender.nextOf('receipt')).toMatchObject({ id: message.id, user: bob, status: 'delivered' });
    recipient.send({ type: 'read', ids: [message.id], ref: 'r' });
    expect(await recipient.nextOf('ok')).toEqual({ type: 'ok', ref: 'r' });
    expect(await sender.nextOf('receipt')).toMatchObject({ id: message.id, user: bob, status: 'read' });

    const [receipt] = await world.receipts(alice, message.id);
    expect(receipt).toEqual({ user: bob, deliveredAt: expect.any(String), readAt: expect.any(String) });
  });

  it('§1: reaches every device of its recipient, each in order and with a cursor of its own', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const phone = await world.connect(bob, { device: 'phone' }, 0);
    await phone.nextOf('caughtUp');
    for (let n = 1; n <= 5; n++) await world.send(alice, bob, `${n}`);
    for (let n = 1; n <= 5; n++)
      expect(await phone.nextOf('message')).toMatchObject({ seq: n, message: { text: `${n}` } });
    phone.send({ type: 'ack', seq: 5, ref: 1 });
    await phone.nextOf('ok');

    const laptop = await world.connect(bob, { device: 'laptop' }, 1);
    expect(await laptop.next()).toMatchObject({ type: 'welcome', after: 0, lastSeq: 5 });
    for (let n = 1; n <= 5; n++) expect(await laptop.nextOf('message')).toMatchObject({ seq: n });
    await phone.close();
    const again = await world.connect(bob, { device: 'phone' }, 1);
    expect(await again.next()).toMatchObject({ type: 'welcome', after: 5, lastSeq: 5 });
    expect(await again.next()).toEqual({ type: 'caughtUp', seq: 5 });
  });

  it('§1: is sent again from the cursor when the connection dies in the middle of a drain', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    for (let n = 1; n <= 20; n++) await world.send(alice, bob, `${n}`);
    const first = await world.connect(bob, {}, 0);
    for (let n = 1; n <= 10; n++) await first.nextOf('message');
    first.send({ type: 'ack', seq: 7, ref: 1 });
    await first.nextOf('ok');
    first.terminate();

    const second = await world.connect(bob, {}, 1);
    expect(await second.next()).toMatchObject({ type: 'welcome', after: 7, lastSeq: 20 });
    for (let n = 8; n <= 20; n++)
      expect(await second.nextOf('message')).toMatchObject({ seq: n, message: { text: `${n}` } });
    expect(await second.next()).toEqual({ type: 'caughtUp', seq: 20 });
  });

  it('§5: a second connection of the same device takes over, also from another gateway', async () => {
    const bob = world.user('bob');
    const first = await world.connect(bob, { device: 'phone' }, 0);
    await first.nextOf('caughtUp');
    const second = await world.connect(bob, { device: 'phone' }, 1);
    await second.nextOf('caughtUp');
    expect((await first.closed).code).toBe(4509);
    await world.send(world.user('alice'), bob, 'to the newer one');
    expect(await second.nextOf('message')).toMatchObject({ seq: 1 });
  });

  it('§4: twins of one key, sent to two send-apis at once, make one message', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const body = { to: [bob], text: 'once' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        world.ask<{ id: string }>(alice, '/v1/messages', {
          method: 'POST',
          body,
          headers: { 'Idempotency-Key': 'the-key' },
          api: index % 2,
        }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([
      ...Array(19).fill(200),
      201,
    ]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    const client = await world.connect(bob);
    expect(await client.next()).toMatchObject({ type: 'welcome', lastSeq: 1 });
  });

  it('§4, §6: the admin port disconnects a user on every gateway, with 4503', async () => {
    const bob = world.user('bob');
    const [one, two] = await Promise.all([
      world.connect(bob, { device: 'a' }, 0),
      world.connect(bob, { device: 'b' }, 1),
    ]);
    await Promise.all([one.nextOf('caughtUp'), two.nextOf('caughtUp')]);
    const response = await fetch(`${world.sendApis[0]?.adminUrl}/disconnect`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: bob }),
    });
    expect(response.status).toBe(202);
    expect((await one.closed).code).toBe(4503);
    expect((await two.closed).code).toBe(4503);
    await eventually('offline', async () => !(await world.isOnline(bob)));
  });
});
