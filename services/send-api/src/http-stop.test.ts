import { FaultProxy } from '@posthorn/testing';
import { bearer, bootApi, openStores, type TestApi, type TestStores } from '../test/api-fixture';
import { exchange, RawConnection } from '../test/raw-http';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});

afterAll(async () => {
  await stores.drop();
});

async function sendText(text: string): Promise<string> {
  const body = JSON.stringify({ to: ['bob'], text });
  return (
    `POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: ${await bearer('alice')}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
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

test('§2.5: also with nothing open, it serves for half of the drain, so that a balancer has the time to notice', async () => {
  const api = await bootApi(stores, { DRAIN_MS: '1000' });
  const stopped = api.stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await exchange(api.port, await sendText('late'))).statuses).toEqual([201]);
  await stopped;
  expect(await isRefused(api)).toBe(true);
});

test('§2.5: a kept connection gets its next answer with Connection: close, and new connections are served meanwhile', async () => {
  const api = await bootApi(stores, { DRAIN_MS: '1800' });
  const kept = await RawConnection.open(api.port);
  kept.write(await sendText('first'));
  const first = await kept.until(({ text }) => text.includes('first'));
  expect(first.text).toMatch(/^connection: keep-alive\r$/im);
  const stopped = api.stop();
  expect((await exchange(api.port, await sendText('newcomer'))).statuses).toEqual([201]);
  kept.write(await sendText('second'));
  const second = await kept.until(({ end }) => end !== null);
  expect(second.statuses).toEqual([201, 201]);
  expect(second.text).toMatch(/^connection: close\r$/im);
  await stopped;
  expect(await isRefused(api)).toBe(true);
});

test('§2.5: a request in flight is answered before the process lets go', async () => {
  const proxy = await FaultProxy.open(stores.database.url);
  const api = await bootApi(stores, { DRAIN_MS: '1800', DATABASE_URL: proxy.through(stores.database.url) });
  expect((await exchange(api.port, await sendText('warm'))).statuses).toEqual([201]);
  const connection = await RawConnection.open(api.port);
  const request = await sendText('in flight');
  connection.write(request.slice(0, -5));
  const stopped = api.stop();
  await new Promise((resolve) => setImmediate(resolve));
  connection.write(request.slice(-5));
  const answer = await connection.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([201]);
  expect(answer.text).toMatch(/^connection: close\r$/im);
  await stopped;
  await proxy.close();
});

test('§2.5: what does not end by itself is cut at the end of the drain', async () => {
  const api = await bootApi(stores, { DRAIN_MS: '400' });
  const [silent, half] = [await RawConnection.open(api.port), await RawConnection.open(api.port)];
  half.write((await sendText('never complete')).slice(0, -5));
  const from = performance.now();
  await api.stop();
  expect(performance.now() - from).toBeLessThan(1_500);
  expect((await silent.until(({ end }) => end !== null)).statuses).toEqual([]);
  expect((await half.until(({ end }) => end !== null)).statuses).toEqual([]);
  expect(await stores.database.query(`SELECT id FROM message WHERE text = 'never complete'`)).toEqual([]);
});
