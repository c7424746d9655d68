import type { IncomingMessage, ServerResponse } from 'node:http';
import { loadSendApiSettings } from '@posthorn/runtime';
import { createServiceContext, TEST_SECRET } from '@posthorn/testing';
import { sendJson } from '../src/http/answer';
import { answerFault } from '../src/http/answer-fault';
import { BODY_TIMEOUT_MS, HEADERS_TIMEOUT_MS, HttpServer } from '../src/http/http-server';
import { readJsonObject } from '../src/http/json-body';
import { beginRequest } from '../src/http/request-context';
import { problemIn, RawConnection } from './raw-http';

/** Instead of 10 s. Long enough for a request that comes at once, and this test has to wait for it. */
const HEADERS_MS = 1_500;
const BODY = '{"text":"slow"}';
const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\n';
/** The server asks for the body once it has the headers: from then on its time counts. */
const REST_OF_HEAD = `Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n`;

let server: HttpServer | null = null;
/** By which the time of bodies goes. */
let nowMs = 0;
const connections: RawConnection[] = [];
const { log } = createServiceContext(
  'send-api',
  loadSendApiSettings({
    DATABASE_URL: 'postgres://x/x',
    REDIS_URL: 'redis://x',
    AUTH_JWT_SECRET: TEST_SECRET,
  }),
);

/** Answers a body that has come with 201, as the endpoints do. */
function app(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader('X-Request-Id', beginRequest(req, log).id);
  readJsonObject(req, res, 1_000).then(
    (body) => sendJson(res, 201, body),
    (error: unknown) => answerFault(error, req, res),
  );
}

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await server?.stop(0);
  server = null;
});

async function open(text: string): Promise<RawConnection> {
  const connection = await RawConnection.open(server?.port ?? 0);
  connections.push(connection);
  connection.write(text);
  return connection;
}

/** Sends the rest of the headers, and resolves once the server has them. */
async function completeHead(connection: RawConnection): Promise<void> {
  connection.write(REST_OF_HEAD);
  await connection.until(({ statuses }) => statuses[0] === 100);
}

test('§4.2: the headers have 10 s, then the body has 15 s', () => {
  expect([HEADERS_TIMEOUT_MS, BODY_TIMEOUT_MS]).toEqual([10_000, 15_000]);
});

test('§4.2: H6 a body that is not complete in its time gets 408, whatever of it comes; it has that time whatever the headers took', async () => {
  server = await HttpServer.listen({ app, port: 0, log, now: () => nowMs });
  const [slow, slower] = [await open(HEAD), await open(HEAD)];
  await completeHead(slow);
  nowMs += BODY_TIMEOUT_MS - 1;
  await completeHead(slower);
  slow.write(BODY.slice(0, -1));
  nowMs += 1;
  // The server looks at all bodies together: the other one was not refused then.
  const refused = await slow.until(({ end }) => end !== null);
  expect(refused).toMatchObject({ statuses: [100, 408], end: 'fin' });
  expect(problemIn(refused)).toMatchObject({ status: 408, code: 'request_timeout' });
  slower.write(BODY);
  const served = await slower.until(({ statuses }) => statuses.length === 2);
  expect(served.statuses).toEqual([100, 201]);
});

test('§4.2: H6 headers that are not complete in their time get 408, whatever of them comes; others are served', async () => {
  server = await HttpServer.listen({ app, port: 0, log, headersTimeoutMs: HEADERS_MS });
  const [slow, silent] = [await open(`${HEAD}X-Slow: `), await open('')];
  const timer = setInterval(() => slow.write('x'), HEADERS_MS / 30);
  try {
    const other = await open(HEAD + REST_OF_HEAD + BODY);
    expect((await other.until(({ statuses }) => statuses.length === 2)).statuses).toEqual([100, 201]);
    for (const connection of [slow, silent]) {
      const refused = await connection.until(({ end }) => end !== null);
      expect(refused).toMatchObject({ statuses: [408], end: 'fin' });
      expect(problemIn(refused)).toMatchObject({ status: 408, code: 'request_timeout' });
    }
  } finally {
    clearInterval(timer);
  }
});
