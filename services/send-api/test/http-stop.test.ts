import { bearer, bootApi, openStores, type TestApi, type TestStores } from './api-fixture';
import { LONG_MS } from './patient-waits';
import { exchange, RawConnection } from './raw-http';

/** On a clock that only the test moves: it serves as long as the test wants. */
const DRAIN_MS = LONG_MS / 2;
let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});

afterEach(() => {
  jest.useRealTimers();
});

afterAll(async () => {
  await stores.drop();
});

async function sendText(text: string, headers = ''): Promise<string> {
  const body = JSON.stringify({ to: ['bob'], text });
  return (
    `POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: ${await bearer('alice')}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`
  );
}

async function isRefused(api: TestApi): Promise<boolean> {
  try {
    (await RawConnection.open(api.port)).close();
    return false;
  } catch {
    return true; // nobody listens any more
  }
}

/** Begins to stop, with a clock that stands still. */
function stopSlowly(api: TestApi): { stopped: Promise<void>; passHalf: () => Promise<void> } {
  jest.useFakeTimers({ doNotFake: ['Date', 'performance', 'setImmediate', 'nextTick', 'queueMicrotask'] });
  const stopped = api.stop();
  return { stopped, passHalf: () => jest.advanceTimersByTimeAsync(DRAIN_MS / 2) };
}

async function boot(): Promise<TestApi> {
  return await bootApi(stores, { DRAIN_MS: String(DRAIN_MS) });
}

/** Opens a connection and sends all of a request but its last bytes; resolves once the server has its headers. */
async function sendHalf(api: TestApi, text: string): Promise<{ half: RawConnection; rest: string }> {
  const half = await RawConnection.open(api.port);
  const request = await sendText(text, 'Expect: 100-continue\r\n');
  half.write(request.slice(0, -5));
  await half.until(({ statuses }) => statuses[0] === 100);
  return { half, rest: request.slice(-5) };
}

test('§2.5: also with nothing open, it serves for half of the drain, so that a balancer has the time to notice', async () => {
  const api = await boot();
  const { stopped, passHalf } = stopSlowly(api);
  expect((await exchange(api.port, await sendText('late'))).statuses).toEqual([201]);
  await passHalf();
  await stopped;
  expect(await isRefused(api)).toBe(true);
});

test('§2.5: a kept connection gets its next answer with Connection: close, and new connections are served meanwhile', async () => {
  const api = await boot();
  const kept = await RawConnection.open(api.port);
  kept.write(await sendText('first'));
  const first = await kept.until(({ text }) => text.includes('first'));
  expect(first.text).toMatch(/^connection: keep-alive\r$/im);
  const { stopped, passHalf } = stopSlowly(api);
  expect((await exchange(api.port, await sendText('newcomer'))).statuses).toEqual([201]);
  kept.write(await sendText('second'));
  const second = await kept.until(({ end }) => end !== null);
  expect(second.statuses).toEqual([201, 201]);
  expect(second.text).toMatch(/^connection: close\r$/im);
  await passHalf();
  await stopped;
  expect(await isRefused(api)).toBe(true);
});

test('§2.5: a request in flight is answered before the process lets go', async () => {
  const api = await boot();
  const { half, rest } = await sendHalf(api, 'in flight');
  const { stopped, passHalf } = stopSlowly(api);
  await passHalf();
  expect(await isRefused(api)).toBe(true);
  half.write(rest);
  const answer = await half.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([100, 201]);
  expect(answer.text).toMatch(/^connection: close\r$/im);
  await stopped;
});

test('§2.5: what does not end by itself is cut at the end of the drain', async () => {
  const api = await boot();
  const silent = await RawConnection.open(api.port);
  const { half } = await sendHalf(api, 'never complete');
  const { stopped, passHalf } = stopSlowly(api);
  await passHalf();
  await passHalf();
  await stopped;
  expect((await silent.until(({ end }) => end !== null)).statuses).toEqual([]);
  expect((await half.until(({ end }) => end !== null)).statuses).toEqual([100]);
  expect(api.lines).toContainEqual(
    expect.objectContaining({ message: 'connections cut at the end of the drain', connections: 1 }),
  );
  expect(await stores.database.query(`SELECT id FROM message WHERE text = 'never complete'`)).toEqual([]);
});
