import { eventually, whenBlocked } from '@posthorn/testing';
import { bearer, bootApi, openStores, type TestApi, type TestStores } from './api-fixture';
import { exchange, problemIn, RawConnection } from './raw-http';

let stores: TestStores;
let api: TestApi;
let head: string;
let jsonHead: string;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores, { MAX_BODY_BYTES: '50000' });
  head = `Host: x\r\nAuthorization: ${await bearer('alice')}\r\n`;
  jsonHead = `${head}Content-Type: application/json\r\n`;
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

const ok = async (): Promise<void> => {
  expect((await api.get('canary', '/v1/inbox')).status).toBe(200);
};

describe('§4.2: what is no valid HTTP gets 400 as a problem, and the connection is closed', () => {
  test.each<[string, (head: string) => string]>([
    [
      'H1 both lengths',
      (h) =>
        `POST /v1/messages HTTP/1.1\r\n${h}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'H1 two different lengths',
      (h) => `POST /v1/messages HTTP/1.1\r\n${h}Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345`,
    ],
    [
      'H2 an unknown transfer coding',
      (h) => `POST /v1/messages HTTP/1.1\r\n${h}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
    ['H2 a space before the colon', () => 'GET /v1/inbox HTTP/1.1\r\nHost : x\r\n\r\n'],
    ['H3 bare line feeds', (h) => `GET /v1/inbox HTTP/1.1\n${h.replaceAll('\r', '')}\n`],
    ['H3 a folded header', (h) => `GET /v1/inbox HTTP/1.1\r\n${h}X-A: b\r\n c\r\n\r\n`],
    ['H4 NUL in a header', (h) => `GET /v1/inbox HTTP/1.1\r\n${h}X-A: a\0b\r\n\r\n`],
    ['H4 CR in a header', (h) => `GET /v1/inbox HTTP/1.1\r\n${h}X-A: a\rb\r\n\r\n`],
    ['a TLS greeting', () => '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
    ['HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'an empty transfer coding',
      (h) =>
        `POST /v1/messages HTTP/1.1\r\n${h}Content-Type: application/json\r\nTransfer-Encoding: \r\n\r\n`,
    ],
    ['an unknown method', (h) => `FOO /v1/inbox HTTP/1.1\r\n${h}\r\n`],
    [
      'a chunk size that is none',
      (h) =>
        `POST /v1/messages HTTP/1.1\r\n${h}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    ],
  ])('%s', async (_name, request) => {
    const connection = await RawConnection.open(api.port);
    connection.write(request(head));
    const answer = await connection.until(({ end }) => end !== null);
    expect(answer.end).toBe('fin');
    expect(answer.statuses).toEqual([400]);
    expect(problemIn(answer)).toMatchObject({ status: 400, code: 'malformed_request' });
    connection.close();
    await ok();
  });
});

test.each<[string, string]>([
  ['no Host', 'GET /v1/inbox HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET /v1/inbox HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a Host that is none', 'GET /v1/inbox HTTP/1.1\r\nHost: a b/c@@\r\n\r\n'],
  ['a Host with half of an address', 'GET /v1/inbox HTTP/1.1\r\nHost: [::1\r\n\r\n'],
  ['a target that is no URL', 'GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a target with a port that is none', 'GET http://a:99999999/v1/inbox HTTP/1.1\r\nHost: x\r\n\r\n'],
])('§4.2: H3 %s is refused with 400', async (_name, request) => {
  expect(problemIn(await exchange(api.port, request))).toMatchObject({
    status: 400,
    code: 'malformed_request',
  });
});

test.each([
  ['HTTP/0.9', '/v1/inbox'],
  ['HTTP/2.0', '/v1/inbox'],
  ['HTTP/1.1', 'http://'],
  ['HTTP/1.1', 'https://'],
])('§4.2: what the parser lets pass is refused all the same: %s, %s', async (version, target) => {
  const answer = await exchange(api.port, `GET ${target} ${version}\r\n${head}\r\n`);
  expect(problemIn(answer)).toMatchObject({ status: 400, code: 'malformed_request' });
});

test('§4.2: a target with an origin is fine', async () => {
  const answer = await exchange(api.port, `GET http://elsewhere/v1/inbox HTTP/1.1\r\n${head}\r\n`);
  expect(answer.statuses).toEqual([200]);
});

test('§4.2: HTTP/1.0 needs no Host', async () => {
  expect((await exchange(api.port, `GET /v1/inbox HTTP/1.0\r\n${head}\r\n`)).statuses).toEqual([200]);
});

test.each<[string, (h: string) => string]>([
  ['20 KB', (h) => `${h}X-A: ${'a'.repeat(20_480)}\r\n`],
  ['200 KB', (h) => `${h}X-A: ${'a'.repeat(204_800)}\r\n`],
  ['3000 headers', (h) => h + 'a: b\r\n'.repeat(3_000)],
])('§4.2: H5 headers over 16 KB are refused with 431: %s', async (_name, headers) => {
  const answer = await exchange(api.port, `GET /v1/inbox HTTP/1.1\r\n${headers(head)}\r\n`);
  expect(problemIn(answer)).toMatchObject({ status: 431, code: 'headers_too_large' });
});

test('§4.2: headers of 15 KB are fine', async () => {
  const answer = await exchange(
    api.port,
    `GET /v1/inbox HTTP/1.1\r\n${head}X-A: ${'a'.repeat(15_000)}\r\n\r\n`,
  );
  expect(answer.statuses).toEqual([200]);
});

test('§3: two Authorization headers count as none', async () => {
  const answer = await exchange(
    api.port,
    `GET /v1/inbox HTTP/1.1\r\n${head}${head.split('\r\n')[1]}\r\n\r\n`,
  );
  expect(problemIn(answer)).toMatchObject({ status: 401, code: 'unauthorized' });
});

test('§4.2: H8 hundreds of pipelined requests on one connection are all answered in order, some with 429', async () => {
  const REQUESTS = 400;
  const requests = Array.from(
    { length: REQUESTS },
    (_, index) => `GET /v1/inbox?after=${index} HTTP/1.1\r\n${head}X-Request-Id: r${index}\r\n\r\n`,
  );
  const connection = await RawConnection.open(api.port);
  connection.write(requests.join(''));
  const { text, statuses } = await connection.until((answer) => answer.statuses.length === REQUESTS);
  for (const status of statuses) expect([200, 429]).toContain(status);
  expect(statuses.slice(0, 100)).toEqual(Array(100).fill(200));
  const ids = [...text.matchAll(/x-request-id: (r\d+)/gi)].map(([, id]) => id);
  expect(ids).toEqual(Array.from({ length: REQUESTS }, (_, index) => `r${index}`));
  connection.close();
});

test('§4.2: an unreadable request behind readable ones is answered after them', async () => {
  const connection = await RawConnection.open(api.port);
  connection.write(`GET /v1/inbox HTTP/1.1\r\n${head}\r\n`.repeat(3) + 'BAD\r\n\r\n');
  const answer = await connection.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([200, 200, 200, 400]);
  connection.close();
});

test.each([
  ['/%ff%zz', 400],
  ['/docs/%zz', 400],
  ['http://x/v1/nothing', 404],
  ['/v1/messages/%zz', 400],
  ['/v1/messages/%zz/receipts', 400],
  ['/..%2f', 404],
  ['/v1/messages/..%2f..%2fetc', 404],
  ['//', 404],
  ['//v1/inbox', 404],
  ['/v1/inbox/', 404],
  ['/V1/INBOX', 404],
  ['/v1', 404],
  ['*', 404],
  [`/${'a'.repeat(8_192)}`, 404],
  ['/metrics', 404],
  ['/livez', 404],
  ['/readyz', 404],
  ['/disconnect', 404],
])('§4.2: H9, H13 the path %.40s is answered with %i', async (path, status) => {
  const answer = await exchange(api.port, `GET ${path} HTTP/1.1\r\n${head}\r\n`);
  expect(answer.statuses).toEqual([status]);
  expect(problemIn(answer).status).toBe(status);
});

test('§4.2: H11 a client that goes away in mid-body leaves no row, no error, no harm', async () => {
  for (let index = 0; index < 20; index++) {
    const connection = await RawConnection.open(api.port);
    connection.write(`POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: 100\r\n\r\n{"to":["bob"],`);
    if (index % 2) connection.socket.resetAndDestroy();
    else connection.close();
  }
  await ok();
  expect(await stores.database.query('SELECT id FROM message')).toEqual([]);
  expect(api.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('§4.2: H11 a client that goes away before its answer has its message sent all the same, or not at all', async () => {
  const body = '{"to":["leaver"],"text":"left early"}';
  for (let index = 0; index < 20; index++) {
    const connection = await RawConnection.open(api.port);
    connection.write(
      `POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    if (index % 2) connection.socket.end();
    else setTimeout(() => connection.socket.resetAndDestroy(), index);
  }
  await ok();
  await eventually('some have come', async () => {
    const { items, lastSeq } = (await api.get('leaver', '/v1/inbox')).body;
    return lastSeq >= 10 && items.length === lastSeq;
  });
});

test('§4.2: a body over the limit is answered although the client still sends', async () => {
  const connection = await RawConnection.open(api.port);
  connection.write(`POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: 3000000\r\n\r\n`);
  for (let sent = 0; sent < 3_000_000; sent += 50_000) connection.write('a'.repeat(50_000));
  const answer = await connection.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([413]);
  expect(problemIn(answer)).toMatchObject({ code: 'payload_too_large' });
  expect(answer.text).toMatch(/^connection: close\r$/im);
  connection.close();
});

test('§4.2: the 401 comes before the body has', async () => {
  const connection = await RawConnection.open(api.port);
  connection.write(
    'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40000\r\n\r\n{',
  );
  const answer = await connection.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([401]);
  expect(answer.end).toBe('fin');
  connection.close();
});

test('§4.2: 100 Continue is sent when the body is wanted, and not for one that is refused unread', async () => {
  const body = '{"to":["bob"],"text":"asked"}';
  const expecting = `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
  const wanted = await RawConnection.open(api.port);
  wanted.write(`POST /v1/messages HTTP/1.1\r\n${jsonHead}${expecting}`);
  await wanted.until(({ statuses }) => statuses[0] === 100);
  wanted.write(body);
  expect((await wanted.until(({ statuses }) => statuses.length === 2)).statuses).toEqual([100, 201]);
  wanted.close();
  const refused = await exchange(api.port, `POST /v1/messages HTTP/1.1\r\nHost: x\r\n${expecting}`);
  expect(refused.statuses).toEqual([401]);
  const tooLarge = await exchange(
    api.port,
    `POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: 60000\r\nExpect: 100-continue\r\n\r\n`,
  );
  expect(tooLarge.statuses).toEqual([413]);
});

test('§4.2: another expectation is ignored, an upgrade is ignored, a tunnel is refused', async () => {
  const expectation = await exchange(api.port, `GET /v1/inbox HTTP/1.1\r\n${head}Expect: tea\r\n\r\n`);
  expect(expectation.statuses).toEqual([200]);
  const upgrade = await exchange(
    api.port,
    `GET /v1/inbox HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  expect(upgrade.statuses).toEqual([200]);
  const tunnel = await exchange(api.port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n');
  expect(problemIn(tunnel)).toMatchObject({ status: 405, code: 'method_not_allowed' });
});

test('§4: a method that a path does not have gets 405 and the ones it has', async () => {
  for (const [method, path, allow] of [
    ['DELETE', '/v1/messages', 'POST, OPTIONS'],
    ['GET', '/v1/messages', 'POST, OPTIONS'],
    ['HEAD', '/v1/messages', 'POST, OPTIONS'],
    ['PUT', '/v1/messages/x', 'GET, HEAD, OPTIONS'],
    ['POST', '/v1/inbox', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/v1/presence', 'GET, HEAD, OPTIONS'],
    ['GET', '/v1/receipts', 'POST, OPTIONS'],
    ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
    ['POST', '/docs', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/docs/swagger-ui.css', 'GET, HEAD, OPTIONS'],
  ]) {
    const { text, statuses } = await exchange(api.port, `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect([method, path, statuses]).toEqual([method, path, [405]]);
    expect(text).toContain(`\r\nAllow: ${allow}\r\n`);
  }
  const options = await exchange(api.port, 'OPTIONS /v1/messages HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(options.statuses).toEqual([204]);
  expect(options.text).toContain('\r\nAllow: POST, OPTIONS\r\n');
});

test('§4: OPTIONS on the reference is answered like on any endpoint', async () => {
  const options = await exchange(api.port, 'OPTIONS /docs HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(options.statuses).toEqual([204]);
  expect(options.text).toContain('\r\nAllow: GET, HEAD, OPTIONS\r\n');
});

test.each(['x', 'x:80', '[::1]:3000', 'a-b.example.', ''])('§4.2: the Host %j is one', async (host) => {
  const request = `GET /v1/inbox HTTP/1.1\r\n${head.replace('Host: x', `Host: ${host}`)}\r\n`;
  expect((await exchange(api.port, request)).statuses).toEqual([200]);
});

test('§4.2: a target that names the whole URL is taken for its path', async () => {
  const answer = await exchange(api.port, `GET http://x/v1/inbox?limit=1 HTTP/1.1\r\n${head}\r\n`);
  expect(answer.statuses).toEqual([200]);
});

test('§4.2: a tunnel that is asked for behind other requests is refused after their answers', async () => {
  const body = '{"to":["tunnel"],"text":"before it"}';
  const connection = await RawConnection.open(api.port);
  connection.write(
    `GET /v1/inbox HTTP/1.1\r\n${head}\r\n` +
      `POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: ${body.length}\r\n\r\n${body}` +
      'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  const answer = await connection.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([200, 201, 405]);
  connection.close();
});

test('§4.2: a reset while a tunnel waits for its refusal ends nothing but that connection', async () => {
  expect((await api.send('alice', { to: ['reset'], text: 'seed' })).status).toBe(201);
  const release = await stores.database.hold(`SELECT * FROM inbox WHERE user_id = 'reset' FOR UPDATE`);
  const body = '{"to":["reset"],"text":"before it"}';
  const connection = await RawConnection.open(api.port);
  connection.write(
    `POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: ${body.length}\r\n\r\n${body}` +
      'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  await whenBlocked(stores.database);
  connection.socket.resetAndDestroy();
  await ok();
  await release();
  await ok();
});

test('§4.2: a client that closes its side once it has asked gets its answer', async () => {
  const body = '{"to":["half"],"text":"half closed"}';
  const connection = await RawConnection.open(api.port);
  connection.socket.end(
    `POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  const answer = await connection.until(({ end }) => end !== null);
  expect(answer.statuses).toEqual([201]);
  expect(answer.end).toBe('fin');
  const cut = await RawConnection.open(api.port);
  cut.socket.end(`POST /v1/messages HTTP/1.1\r\n${jsonHead}Content-Length: 100\r\n\r\n{"to":`);
  expect((await cut.until(({ end }) => end !== null)).statuses).toEqual([400]);
});

test('§4: nothing above was an internal error', () => {
  expect(api.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
