import { join } from 'node:path';
import { eventually, type TestClient } from '@posthorn/testing';
import { World } from '../fixture';
import { buildPrevious, type PreviousVersion, previousVersion } from './previous-version.fixture';

const version = previousVersion();
/** A copy without its history has nothing before it. */
const whereThereIsHistory = version === undefined ? describe.skip : describe;

whereThereIsHistory(`beside ${version}`, () => {
  let world: World;
  let previous: PreviousVersion;
  let readers: Reader[] = [];

  beforeAll(async () => {
    previous = await buildPrevious(version ?? '');
    // The schema is this version's already: a deploy migrates first.
    world = await World.start({ env: { RATE_LIMIT_SENDS: '0' } });
  });

  afterAll(async () => {
    for (const reader of readers) reader.stop();
    await world?.stop();
    previous?.remove();
  });

  const old = (name: string): string => join(previous.folder, 'services', name, 'dist', 'main.js');

  it('§2: while it is replaced, process by process and under traffic, nothing is lost, doubled or out of order', async () => {
    // As before the deploy: two of each of the version before.
    const [newApis, newGateways] = [world.sendApis.splice(0), world.gateways.splice(0)];
    for (let n = 0; n < 2; n += 1) {
      await world.addSendApi({}, { main: old('send-api') });
      await world.addGateway({}, { main: old('ws-gateway') });
    }
    const alice = world.user('alice');
    const users = Array.from({ length: 8 }, () => world.user('bob'));
    readers = users.map((user, index) => new Reader(world, user, index));
    for (const reader of readers) await reader.connect();

    const sending = new AbortController();
    let sent = 0;
    const traffic = (async () => {
      while (!sending.signal.aborted) {
        await world.send(alice, users, String(sent + 1));
        sent += 1;
      }
    })();
    const flows = async (): Promise<void> => {
      const wanted = sent + 10;
      await eventually('traffic flows', () => readers.every((reader) => reader.texts.length >= wanted));
      // Reconcile would bring what the other version cannot read: it has to be read.
      expect(await world.gatewayMetric('posthorn_rubbish_notices_total')).toBe(0);
    };
    await flows();
    for (const list of [world.gateways, world.sendApis] as const) {
      for (let n = 0; n < 2; n += 1) {
        // One of the new beside one of the old; then the old one goes.
        const [fresh] = list === world.gateways ? newGateways.splice(0, 1) : newApis.splice(0, 1);
        const [stale] = list.splice(0, 1);
        if (fresh === undefined || stale === undefined) throw new Error('a process is missing');
        list.push(fresh);
        await flows();
        expect(await stale.stop()).toMatchObject({ code: 0 });
        await flows();
      }
    }
    sending.abort();
    await traffic;
    for (const reader of readers) {
      await eventually('all has come', () => reader.texts.length >= sent);
      expect(reader.texts).toEqual(Array.from({ length: sent }, (_, n) => String(n + 1)));
    }
    const last = await world.send(alice, users, 'after');
    await eventually('receipts are as they were', async () =>
      (await world.receipts(alice, last.id)).every(({ deliveredAt }) => deliveredAt !== null),
    );
    for (const user of users) expect(await world.isOnline(user)).toBe(true);
  });

  it('§5.1: a device that connects to the other version takes over from itself, in both directions', async () => {
    const before = await world.addGateway({}, { main: old('ws-gateway') });
    const [here, there] = [0, world.gateways.indexOf(before)];
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      const carol = world.user('carol');
      const first = await world.connect(carol, { device: 'phone' }, from);
      await first.nextOf('caughtUp');
      const second = await world.connect(carol, { device: 'phone' }, to);
      await second.nextOf('caughtUp');
      expect((await first.closed).code).toBe(4509);
      await world.send(world.user('dave'), carol, 'to the newer one');
      expect((await second.nextOf('message')).message.text).toBe('to the newer one');
    }
  });
});

/** A device that acknowledges all it gets, and comes back wherever a gateway is. */
class Reader {
  readonly texts: string[] = [];
  readonly #world: World;
  readonly #user: string;
  #turn: number;
  #isOver = false;

  constructor(world: World, user: string, turn: number) {
    this.#world = world;
    this.#user = user;
    this.#turn = turn;
  }

  stop(): void {
    this.#isOver = true;
  }

  async connect(): Promise<void> {
    if (this.#isOver) return;
    const gateway = this.#turn++ % this.#world.gateways.length;
    const client = await this.#world.connect(this.#user, {}, gateway).catch(() => undefined);
    if (client === undefined) {
      // One that stops refuses: the next one is asked.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return await this.connect();
    }
    void this.#read(client);
  }

  async #read(client: TestClient): Promise<void> {
    const ended = client.closed.then(() => 'ended' as const);
    for (let taken = 0; ; ) {
      for (const { seq, message } of client.all('message').slice(taken)) {
        taken += 1;
        // What was not acknowledged in time comes again: the place says what it is.
        if (seq === this.texts.length + 1) this.texts.push(message.text ?? '');
        client.send({ type: 'ack', seq });
      }
      const next = await Promise.race([
        ended,
        new Promise<'more'>((resolve) => setTimeout(() => resolve('more'), 10)),
      ]);
      if (next === 'ended' || this.#isOver) return await this.connect();
    }
  }
}
