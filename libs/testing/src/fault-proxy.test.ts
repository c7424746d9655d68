import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { eventually, HANG_MS } from './eventually';
import { FaultProxy } from './fault-proxy';

let server: Server;
/** The server's ends of the connections, in the order in which they came. */
let accepted: Socket[];
let proxy: FaultProxy;
const clients: Socket[] = [];

/** A server that answers what it is told to, and keeps what it reads. */
beforeEach(async () => {
  accepted = [];
  server = await listen();
  proxy = await FaultProxy.open(`tcp://127.0.0.1:${portOf(server)}`);
});

afterEach(async () => {
  for (const socket of [...clients.splice(0), ...accepted]) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => server.close(resolve));
});

async function listen(): Promise<Server> {
  const listening = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    accepted.push(socket);
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return listening;
}

function portOf(listening: Server): number {
  const address = listening.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

interface Received {
  text: () => string;
  isEnded: () => boolean;
  error: () => string | undefined;
}

function receive(socket: Socket): Received {
  let text = '';
  let isEnded = false;
  let code: string | undefined;
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  socket.on('end', () => (isEnded = true));
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
  return { text: () => text, isEnded: () => isEnded, error: () => code };
}

/** A connection through the proxy, and what each of its ends receives. */
async function open(): Promise<{ client: Socket; peer: Socket; atClient: Received; atPeer: Received }> {
  const count = accepted.length;
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  clients.push(client);
  const atClient = receive(client);
  const peer = await eventually('the connection', () => accepted[count]);
  return { client, peer, atClient, atPeer: receive(peer) };
}

/** What a client that connects now is told. */
async function refusal(): Promise<string | undefined> {
  const client = connect({ port: proxy.port, host: '127.0.0.1' });
  clients.push(client);
  const { error } = receive(client);
  await once(client, 'close').catch(() => undefined);
  return error();
}

it('passes bytes and ends both ways, also an end after which the other side still talks', async () => {
  const { client, peer, atClient, atPeer } = await open();
  client.end('question');
  await eventually('the question and its end', () => atPeer.text() === 'question' && atPeer.isEnded());
  peer.end('answer');
  await eventually('the answer and its end', () => atClient.text() === 'answer' && atClient.isEnded());
  expect(proxy.counts).toMatchObject({ connections: 1, refused: 0, cut: 0, passedBytes: 14 });
});

it('passes a reset on as a reset', async () => {
  const { client, peer, atPeer } = await open();
  client.resetAndDestroy();
  await once(peer, 'close').catch(() => undefined);
  expect(atPeer.error()).toBe('ECONNRESET');
});

it('delays each direction and keeps its order, whatever the jitter', async () => {
  const { client, peer, atClient, atPeer } = await open();
  proxy.mode = { delayMs: 100, jitterMs: 40 };
  const startedAt = performance.now();
  for (let n = 0; n < 20; n++) {
    client.write(`${n} `);
    peer.write(`${n} `);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const all = Array.from({ length: 20 }, (_, n) => `${n} `).join('');
  await eventually('all of it', () => atClient.text() === all && atPeer.text() === all);
  // A timer may be early by up to a millisecond.
  expect(performance.now() - startedAt).toBeGreaterThan(100 - 40 - 2);
  expect(proxy.counts.heldBytes).toBe(2 * all.length);
});

it('hands on at once what a delay held back when the delay ends, and then the end of the connection', async () => {
  const { client, atPeer } = await open();
  proxy.mode = { delayMs: 10 * HANG_MS, jitterMs: 0 };
  client.end('late');
  await eventually('it is held', () => proxy.counts.heldBytes === 4);
  proxy.mode = 'pass';
  await eventually('it came', () => atPeer.text() === 'late' && atPeer.isEnded());
});

it('passes as many bytes a second as a narrow line does', async () => {
  const { client, atPeer } = await open();
  proxy.mode = { bytesPerSecond: 20 };
  client.write(Buffer.alloc(6_000, 'x'));
  await eventually('a part', () => atPeer.text().length > 0);
  // The whole would take 5 minutes.
  expect(atPeer.text().length).toBeLessThan(6_000);
  const left = 6_000 - atPeer.text().length;
  const startedAt = performance.now();
  proxy.mode = { bytesPerSecond: 20_000 };
  await eventually('all', () => atPeer.text().length === 6_000);
  expect(performance.now() - startedAt).toBeGreaterThan((left / 20_000) * 1_000 - 2);
});

it.each([
  { mode: 'drop-requests', lost: 'requests', atPeer: '', atClient: 'answer' },
  { mode: 'drop-replies', lost: 'replies', atPeer: 'question', atClient: '' },
] as const)(
  '$mode loses the $lost alone; the direction stays silent after it, new connections work',
  async (expected) => {
    const { client, peer, atClient, atPeer } = await open();
    proxy.mode = expected.mode;
    client.write('question');
    peer.write('answer');
    await eventually('both are there', () => {
      const { passedBytes, swallowedBytes } = proxy.counts;
      return passedBytes + swallowedBytes === 'question'.length + 'answer'.length;
    });
    proxy.mode = 'pass';
    client.write('!');
    peer.write('!');
    const isOpen = (text: string): string => (text === '' ? '' : `${text}!`);
    await eventually('the open direction', () => {
      return (
        atPeer.text() === isOpen(expected.atPeer) &&
        atClient.text() === isOpen(expected.atClient) &&
        proxy.counts.swallowedBytes > 0
      );
    });
    const another = await open();
    another.client.write('hello');
    await eventually('the new one', () => another.atPeer.text() === 'hello');
  },
);

it('a black hole swallows ends too; they come when it is over, as a reset where bytes are missing', async () => {
  const [silent, talking] = [await open(), await open()];
  proxy.mode = 'blackhole';
  silent.client.end();
  talking.client.end('lost');
  await eventually('it is lost', () => proxy.counts.swallowedBytes === 4);
  const late = await open();
  late.client.write('lost, too');
  await eventually('that is lost, too', () => proxy.counts.swallowedBytes === 13);
  expect([silent.atPeer.isEnded(), talking.atPeer.isEnded()]).toEqual([false, false]);
  proxy.mode = 'pass';
  await eventually('the end', () => silent.atPeer.isEnded());
  await eventually('the reset', () => talking.atPeer.error() === 'ECONNRESET');
  expect(talking.atPeer.text()).toBe('');
});

it('resets open connections and new ones, and counts both', async () => {
  const { peer, client, atClient } = await open();
  proxy.mode = 'reset';
  await Promise.all([once(peer, 'close'), once(client, 'close')].map((end) => end.catch(() => undefined)));
  expect(atClient.error()).toBe('ECONNRESET');
  expect(await refusal()).toBe('ECONNRESET');
  expect(proxy.counts).toMatchObject({ connections: 1, cut: 1, refused: 1 });
});

it('cuts a connection after so many bytes', async () => {
  const { client, atClient, atPeer } = await open();
  client.write('before');
  await eventually('that', () => atPeer.text() === 'before');
  proxy.mode = { cutAfterBytes: 5 };
  client.write('abc');
  await eventually('these', () => atPeer.text() === 'beforeabc');
  client.write('defg');
  await eventually('the cut', () => atClient.error() === 'ECONNRESET');
  await eventually('the last bytes', () => atPeer.text() === 'beforeabcde');
  expect(proxy.counts).toMatchObject({ cut: 1, passedBytes: 11 });
});

it('refuses with a reset when nothing is behind, and serves again once something is', async () => {
  const other = await listen();
  proxy.retarget(null);
  expect(await refusal()).toBe('ECONNRESET');
  const free = portOf(other);
  await new Promise((resolve) => other.close(resolve));
  proxy.retarget(free);
  expect(await refusal()).toBe('ECONNRESET');
  expect(proxy.counts).toMatchObject({ connections: 0, refused: 2 });
  proxy.retarget(portOf(server));
  const { client, atPeer } = await open();
  client.write('hello');
  await eventually('it is there', () => atPeer.text() === 'hello');
});

it.each(['pass', { delayMs: 1, jitterMs: 0 }] as const)(
  'stops reading from one side when the other does not read: %p',
  async (mode) => {
    const { client, peer } = await open();
    proxy.mode = mode;
    client.pause();
    let written = 0;
    const piece = Buffer.alloc(1 << 16);
    const fill = (): void => {
      while (peer.writable && peer.write(piece)) written += piece.length;
    };
    peer.on('drain', fill);
    fill();
    let before = -1;
    await eventually('nothing moves any more', async () => {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return written === before;
    });
    // What the kernel's buffers of four sockets hold, and the proxy's own.
    expect(written).toBeLessThan(32 << 20);
    let read = 0;
    client.on('data', (bytes: Buffer) => (read += bytes.length));
    peer.off('drain', fill);
    client.resume();
    await eventually('all of it arrives', () => read >= written);
  },
);
