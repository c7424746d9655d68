import { bearer, bootApi, openStores, type TestApi, type TestStores } from '../test/api-fixture';
import { problemIn, RawConnection } from '../test/raw-http';

let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

/** Writes a character from time to time; resolves with the answer and when it came. */
async function drip(
  start: string,
  everyMs: number,
): Promise<{ code: string; status: number; afterMs: number }> {
  const connection = await RawConnection.open(api.port);
  const from = performance.now();
  connection.write(start);
  const timer = setInterval(() => connection.write('x'), everyMs);
  try {
    const answer = await connection.until(({ end }) => end !== null, 25_000);
    expect(answer.end).toBe('fin');
    return { ...problemIn(answer), afterMs: performance.now() - from };
  } finally {
    clearInterval(timer);
    connection.close();
  }
}

/** Sends the headers in `headersMs` and then the body in `bodyMs`; resolves with the status. */
async function sendIn(headersMs: number, bodyMs: number): Promise<number | undefined> {
  const body = '{"to":["carol"],"text":"slow"}';
  const connection = await RawConnection.open(api.port);
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  connection.write(`POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: ${await bearer('alice')}\r\n`);
  await wait(headersMs);
  connection.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
  await wait(bodyMs);
  connection.write(body);
  const { statuses } = await connection.until((answer) => answer.statuses.length > 0);
  connection.close();
  return statuses[0];
}

test('§4.2: the body has 15 s of its own, whatever the headers took', async () => {
  expect(await sendIn(7_000, 10_000)).toBe(201);
});

test('§4.2: H6 headers that are not complete in 10 s, or a body in 15 s, get 408; others are served', async () => {
  const head = `POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: ${await bearer('alice')}\r\n`;
  const body = `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"to":["bob"],"text":"`;
  const [headers, slowBody, silence] = await Promise.all([
    drip(`${head}X-Slow: `, 1_000),
    drip(body, 1_000),
    drip('', 1_000_000),
    api.send('alice', { to: ['bob'], text: 'x' }).then(({ status }) => expect(status).toBe(201)),
  ]);
  expect(headers).toMatchObject({ status: 408, code: 'request_timeout' });
  expect(headers.afterMs).toBeGreaterThan(9_500);
  expect(headers.afterMs).toBeLessThan(12_500);
  expect(slowBody).toMatchObject({ status: 408, code: 'request_timeout' });
  expect(slowBody.afterMs).toBeGreaterThan(14_500);
  expect(slowBody.afterMs).toBeLessThan(18_500);
  expect(silence).toMatchObject({ status: 408 });
  expect(await stores.database.query(`SELECT id FROM message WHERE text = 'x'`)).toHaveLength(1);
});
