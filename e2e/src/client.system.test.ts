import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Client,
  type ClientError,
  type ClientOptions,
  connect,
  type Delivery,
  fileStore,
  memoryStore,
  type Outgoing,
  type Status,
} from '@posthorn/client';
import { migrateDatabase } from '@posthorn/stack';
import { eventually, FaultProxy } from '@posthorn/testing';
import { World } from './fixture';

let world: World;
/** What the clients go through: to the gateways, and to send-api. */
let gateway: FaultProxy;
let api: FaultProxy;
const clients: Client[] = [];
const folders: string[] = [];

beforeAll(async () => {
  world = await World.start({ env: { RECONCILE_INTERVAL_MS: '1000' } });
  gateway = await FaultProxy.open(world.gateways[0]?.url);
  api = await FaultProxy.open(world.sendApis[0]?.url);
});

afterEach(async () => {
  gateway.mode = 'pass';
  api.mode = 'pass';
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

afterAll(async () => {
  await gateway.close();
  await api.close();
  await world.stop();
});

/** A client with all that it told. */
interface Watched {
  client: Client;
  texts: string[];
  statuses: Status[];
  errors: ClientError[];
  outgoing: Outgoing[];
}

function open(user: string, options: Partial<ClientOptions> & { isDeaf?: boolean } = {}): Watched {
  const { isDeaf = false, ...more } = options;
  const client = connect({
    url: `ws://127.0.0.1:${gateway.port}`,
    api: `http://127.0.0.1:${api.port}`,
    token: () => world.token(user),
    ...more,
  });
  clients.push(client);
  const watched: Watched = { client, texts: [], statuses: [], errors: [], outgoing: [] };
  if (!isDeaf) client.on('message', ({ message }) => void watched.texts.push(message.text ?? ''));
  client.on('status', (status) => watched.statuses.push(status));
  client.on('error', (error) => watched.errors.push(error));
  client.on('outbox', (outgoing) => watched.outgoing.push(outgoing));
  return watched;
}

async function isState(client: Client, state: Status['state']): Promise<void> {
  await eventually(`the client is ${state}`, () => client.status.state === state);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-client-'));
  folders.push(folder);
  return folder;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, n) => String(from + n));
}

describe('receiving', () => {
  it('§5.2: hands out what waited, then says caughtUp, then what comes live; in order', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    for (const text of numbers(1, 3)) await world.send(alice, bob, text);
    const { client, texts } = open(bob);
    const caughtUp = await new Promise((resolve) => {
      client.on('caughtUp', ({ seq }) => resolve({ seq, handed: [...texts] }));
    });
    expect(caughtUp).toEqual({ seq: 3, handed: numbers(1, 3) });
    await world.send(alice, bob, '4');
    await eventually('the fourth', () => texts.length === 4);
    expect(texts).toEqual(numbers(1, 4));
  });

  it('§5.3: acknowledges a message when its handler has finished, and not before', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const { id } = await world.send(alice, bob, 'slowly');
    const { client } = open(bob, { isDeaf: true });
    let finish = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      client.on('message', () => {
        resolve();
        return new Promise<void>((done) => {
          finish = done;
        });
      });
    });
    await begun;
    expect(await world.receipts(alice, id)).toMatchObject([{ deliveredAt: null }]);
    finish();
    await eventually('delivered', async () => (await world.receipts(alice, id))[0]?.deliveredAt !== null);
  });

  it('§5.5: a handler that fails gets the same message again, and no other before it', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    for (const text of numbers(1, 3)) await world.send(alice, bob, text);
    const { client, errors } = open(bob, { isDeaf: true });
    const tried: string[] = [];
    const beside: string[] = [];
    client.on('message', ({ message: { text = '' } }) => void beside.push(text));
    client.on('message', ({ message: { text = '' } }) => {
      tried.push(text);
      if (text === '2' && tried.length === 2) throw new Error('the disk is full');
    });
    await eventually('all', () => tried.length === 4);
    expect(tried).toEqual(['1', '2', '2', '3']);
    expect(beside).toEqual(numbers(1, 3));
    expect(errors).toMatchObject([
      { source: 'handler', message: expect.stringContaining('the disk is full') },
    ]);
  });

  it('§5.5: a loop gets each once; where it is left, that message comes to the next loop', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    for (const text of numbers(1, 3)) await world.send(alice, bob, text);
    const { client } = open(bob, { isDeaf: true });
    const seen: Delivery[] = [];
    for await (const delivery of client) {
      seen.push(delivery);
      if (delivery.seq === 2) break;
    }
    for await (const delivery of client) {
      seen.push(delivery);
      if (delivery.seq === 3) void client.close();
    }
    expect(seen.map(({ message }) => message.text)).toEqual(['1', '2', '2', '3']);
  });

  it('§5.1: a client that starts again goes on where its store says, also where no acknowledgement got through', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const store = memoryStore();
    const first = open(bob, { store });
    await isState(first.client, 'online');
    gateway.mode = 'drop-requests';
    const [{ id }] = [await world.send(alice, bob, '1'), await world.send(alice, bob, '2')];
    await eventually('two', () => first.texts.length === 2);
    await first.client.close();
    gateway.mode = 'pass';
    gateway.cut();
    expect(await world.receipts(alice, id)).toMatchObject([{ deliveredAt: null }]);
    await world.send(alice, bob, '3');
    const second = open(bob, { store });
    await eventually('the third', () => second.texts.length > 0);
    expect(second.texts).toEqual(['3']);
    await eventually('delivered', async () => (await world.receipts(alice, id))[0]?.deliveredAt !== null);
  });

  it('§5.1: a new epoch is told as a reset, and delivery goes on', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const { client, texts } = open(bob);
    await world.send(alice, bob, '1');
    await eventually('the first', () => texts.length === 1);
    const reset = new Promise((resolve) => void client.on('reset', resolve));
    await migrateDatabase(world.database.url, ['--new-epoch']);
    expect(await reset).toMatchObject({ seq: 1 });
    await world.send(alice, bob, '2');
    await eventually('the second', () => texts.length === 2);
    expect(texts).toEqual(['1', '2']);
  });
});

describe('sending', () => {
  it('§4.1: pending, sent, delivered, read; each told once', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const sender = open(alice);
    const recipient = open(bob, { isDeaf: true });
    recipient.client.on('message', ({ message }) => recipient.client.read(message.id));
    await Promise.all([isState(sender.client, 'online'), isState(recipient.client, 'online')]);
    const { key } = await sender.client.send({ to: bob, text: 'hello', data: { n: 1 } });
    await eventually('read', () => sender.outgoing.at(-1)?.state === 'read');
    const states = sender.outgoing.map(({ state }) => state);
    // A read that overtakes its acknowledgement makes one receipt (§5.5).
    expect(states.filter((state) => state !== 'delivered')).toEqual(['pending', 'sent', 'read']);
    expect(sender.outgoing.every((outgoing) => outgoing.key === key)).toBe(true);
    expect(sender.client.outbox()).toEqual([]);
  });

  it('§4.1: what was sent while nothing was in reach is sent after a restart, once and in order', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const folder = newFolder();
    api.mode = 'drop-replies';
    const first = open(alice, { store: fileStore(folder) });
    for (const text of numbers(1, 5)) await first.client.send({ to: bob, text });
    // The first one is committed, and nobody hears of it.
    await eventually(
      'committed',
      async () => (await world.ask<{ lastSeq: number }>(bob, '/v1/inbox')).body.lastSeq === 1,
    );
    await first.client.close();
    api.mode = 'pass';
    api.cut();
    const second = open(alice, { store: fileStore(folder) });
    const recipient = open(bob);
    await eventually('five', () => recipient.texts.length === 5);
    const keys = second.client.outbox().map(({ key }) => key);
    await Promise.all(keys.map((key) => second.client.settled(key)));
    const inbox = await world.ask<{ items: { message: { text: string } }[] }>(bob, '/v1/inbox');
    expect(inbox.body.items.map(({ message }) => message.text)).toEqual(numbers(1, 5));
    expect(recipient.texts).toEqual(numbers(1, 5));
  });

  it('§4.7: a refusal is told with its problem, stays until it is forgotten, and holds up nothing', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const { client } = open(alice);
    const refused = await client.send({ to: bob, text: '' });
    const next = await client.send({ to: bob, text: 'next' });
    expect(await client.settled(refused.key)).toMatchObject({
      state: 'failed',
      problem: { status: 422, code: 'invalid_message', detail: expect.stringContaining('/text') },
    });
    expect(await client.settled(next.key)).toMatchObject({ state: expect.stringMatching(/sent|delivered/) });
    expect(client.outbox().map(({ key }) => key)).toContain(refused.key);
    expect(await client.forget(refused.key)).toBe(true);
    expect(client.outbox().map(({ key }) => key)).not.toContain(refused.key);
  });
});

describe('the connection', () => {
  it('§5.6: a half-open connection is found within one and a half heartbeats, and given up', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    // A gateway of its own: a busy machine may miss such a heartbeat, which is no matter here alone.
    const impatient = await world.addGateway({ HEARTBEAT_MS: '1000' });
    gateway.retarget(Number(new URL(impatient.url).port));
    const { client, texts, statuses } = open(bob);
    await isState(client, 'online');
    gateway.mode = 'blackhole';
    // When exactly: libs/client/src/connection/watchdog.test.ts.
    await eventually('noticed', () => client.status.state !== 'online');
    expect(statuses).toContainEqual(
      expect.objectContaining({ state: 'offline', why: 'the gateway did not answer' }),
    );
    await world.send(alice, bob, 'in the dark');
    gateway.mode = 'pass';
    gateway.retarget(Number(new URL(world.gateways[0]?.url ?? '').port));
    gateway.cut();
    await eventually('arrived', () => texts.length === 1);
  });

  it('§5.3: a token is replaced before its end, on the living connection', async () => {
    const bob = world.user('bob');
    let asked = 0;
    const { client, statuses, errors } = open(bob, {
      token: () => {
        asked += 1;
        return world.token(bob, undefined, 4);
      },
    });
    await isState(client, 'online');
    await eventually('asked three times', () => asked >= 3);
    expect(statuses.filter(({ state }) => state === 'online')).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('§5.7: an expired token (4401) is replaced, then the client comes back', async () => {
    const bob = world.user('bob');
    let asked = 0;
    const { client, statuses, errors } = open(bob, {
      token: async () => {
        asked += 1;
        // The refresh in place fails: the connection lives until the gateway ends it.
        if (asked === 2) throw new Error('signed out for a moment');
        return await world.token(bob, undefined, asked === 1 ? 2 : 3_600);
      },
    });
    await eventually('came back', () => statuses.filter(({ state }) => state === 'online').length === 2);
    expect(statuses).toContainEqual(
      expect.objectContaining({ state: 'offline', why: expect.stringContaining('token') }),
    );
    expect(errors).toMatchObject([{ source: 'token', message: 'no token: signed out for a moment' }]);
    expect(client.status.state).toBe('online');
  });

  it('§5.7: taken over, it stays away until it is told to come back', async () => {
    const bob = world.user('bob');
    const first = open(bob);
    await isState(first.client, 'online');
    const second = open(bob);
    await isState(first.client, 'stopped');
    expect(first.client.status).toMatchObject({ code: 4509 });
    expect(second.client.status.state).toBe('online');
    first.client.resume();
    await isState(first.client, 'online');
    await isState(second.client, 'stopped');
  });

  it('§2.4: disconnected by an operator, it stays away', async () => {
    const bob = world.user('bob');
    const { client } = open(bob);
    await isState(client, 'online');
    const body = JSON.stringify({ user: bob });
    await fetch(`${world.sendApis[0]?.adminUrl}/disconnect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await isState(client, 'stopped');
    expect(client.status).toMatchObject({ code: 4503 });
  });

  it('§4.5: where no WebSocket gets through, the inbox is read over HTTP, and the next connection goes on behind it', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    await world.send(alice, bob, '1');
    gateway.mode = 'reset';
    const { client, texts } = open(bob);
    let caughtUp = 0;
    client.on('caughtUp', () => void (caughtUp += 1));
    await isState(client, 'polling');
    await eventually('the first', () => texts.length === 1);
    await world.send(alice, bob, '2');
    await eventually('the second', () => texts.length === 2);
    expect(caughtUp).toBe(1);
    const { id } = await world.send(alice, bob, '3');
    gateway.mode = 'pass';
    client.resume();
    await isState(client, 'online');
    await eventually('the third', () => texts.length === 3);
    expect(texts).toEqual(numbers(1, 3));
    await eventually('delivered', async () => (await world.receipts(alice, id))[0]?.deliveredAt !== null);
  });

  it('§3.1: a store is for one user and one device', async () => {
    const store = memoryStore();
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const first = open(alice, { store });
    await isState(first.client, 'online');
    await first.client.close();
    const second = open(bob, { store });
    await isState(second.client, 'stopped');
    expect(second.errors).toMatchObject([{ message: expect.stringContaining(`another user than ${bob}`) }]);
    const third = open(alice, { store, device: `other-${randomBytes(2).toString('hex')}` });
    await isState(third.client, 'stopped');
  });
});
