import type { Socket } from 'node:net';
import { eventually } from '@posthorn/testing';
import { GatewayFixture, type TestGateway } from './gateway.fixture';
import { frame, RawClient } from './raw-client.fixture';

const MIB = 1_048_576;
/** As much may wait for one connection: one write of it takes a slow reader several seconds. */
const BUFFER = 24 * MIB;
const BACKLOG = 36 * MIB;
const BYTES_PER_S = 7 * MIB;
/** For those of whom only the end is looked at. */
const QUICK_BYTES_PER_S = 40 * MIB;

/** Sockets behind which all buffers are full, and a reader that never stops, but is slow. */
describe('a slow reader', () => {
  let fixture: GatewayFixture;
  let user: string;
  let devices = 0;
  const readers: SlowReader[] = [];
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    user = fixture.user();
    const large = 'x'.repeat(100_000);
    for (let sent = 0; sent < BACKLOG; sent += 10 * large.length)
      await fixture.commit('alice', user, Array<string>(10).fill(large));
  });
  afterAll(async () => {
    for (const reader of readers) reader.end();
    await fixture.close();
  });

  async function start(slowConsumerMs: number): Promise<TestGateway> {
    return await fixture.start({
      MAX_BUFFERED_BYTES: String(BUFFER),
      SLOW_CONSUMER_MS: String(slowConsumerMs),
      DELIVERY_WINDOW: '10000',
    });
  }

  /** A new device for which as much waits as may wait. */
  async function slowReader(
    gateway: TestGateway,
    bytesPerS: number,
  ): Promise<{ reader: SlowReader; device: string }> {
    const device = `d${++devices}`;
    const client = await RawClient.open(gateway.port, user, `?device=${device}`);
    client.socket.pause();
    await eventually('full', async () => (await gateway.metric('buffered_bytes')) >= BUFFER);
    const reader = new SlowReader(client.socket, bytesPerS);
    readers.push(reader);
    return { reader, device };
  }

  it('§5: that reads steadily is not too slow, however long one write takes to leave', async () => {
    const gateway = await start(1_500);
    const { reader } = await slowReader(gateway, BYTES_PER_S);
    await eventually('all here', () => reader.count >= BACKLOG);
    expect(await gateway.metric('closes_total')).toBe(0);
    reader.end();
  });

  it.each<[string, (gateway: TestGateway, device: string) => Promise<unknown>, number]>([
    ['taken over', (gateway, device) => gateway.connect(user, { device, after: '0' }), 4509],
    ['disconnected by an operator', (_, device) => fixture.disconnect(user, device), 4503],
  ])('§5: that is %s sees the code, once it has read what was sent before', async (_, end, code) => {
    const gateway = await start(600_000);
    const { reader, device } = await slowReader(gateway, QUICK_BYTES_PER_S);
    await end(gateway, device);
    await reader.ended;
    expect(reader.closeCode()).toBe(code);
    expect(reader.count).toBeGreaterThan(BUFFER);
  });

  it('§5: that does not read at all is cut in the end, whatever it is ended for', async () => {
    const gateway = await start(1_000);
    const { reader, device } = await slowReader(gateway, QUICK_BYTES_PER_S);
    reader.pause();
    await fixture.disconnect(user, device);
    await eventually('ended', async () => (await gateway.metric('closes_total')) === 1);
    await eventually('cut', async () => {
      reader.ping();
      return reader.isEnded;
    });
    expect(reader.closeCode()).not.toBe(4503);
  });
});

/** Takes from a socket what a link of a certain rate would, and keeps the end of it. */
class SlowReader {
  readonly ended: Promise<void>;
  isEnded = false;
  count = 0;
  readonly #socket: Socket;
  readonly #bytesPerS: number;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #isPaused = false;
  #tail = Buffer.alloc(0);

  constructor(socket: Socket, bytesPerS: number) {
    this.#socket = socket;
    this.#bytesPerS = bytesPerS;
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Buffer) => {
      this.count += bytes.length;
      this.#tail = Buffer.concat([this.#tail.subarray(-1_000), bytes]);
      this.#pace();
    });
    this.#timer = setInterval(() => this.#pace(), 10);
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(this.#timer);
        this.isEnded = true;
        resolve();
      });
    });
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Where the peer has cut the connection, this is how one learns of it that does not read. */
  ping(): void {
    this.#socket.write(frame(9, ''));
  }

  /** The code of the close frame that the stream ends with, if it does. */
  closeCode(): number | null {
    const tail = this.#tail;
    for (let at = 0; at + 4 <= tail.length; at++) {
      if (tail[at] === 0x88 && at + 2 + (tail[at + 1] ?? 0) === tail.length) return tail.readUInt16BE(at + 2);
    }
    return null;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }

  #pace(): void {
    const due = ((performance.now() - this.#startedAt) / 1_000) * this.#bytesPerS;
    if (this.#isPaused || this.count > due) this.#socket.pause();
    else this.#socket.resume();
  }
}
