import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import {
  bearer,
  bootApi,
  expectProblem,
  openStores,
  type TestApi,
  type TestStores,
} from '../../test/api-fixture';

const MAX_BODY_BYTES = 4_096;
let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores, { MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

/** A body of exactly so many bytes that is valid otherwise. */
function bodyOf(bytes: number): string {
  const around = '{"to":["bob"],"text":""}'.length;
  return `{"to":["bob"],"text":"${'x'.repeat(bytes - around)}"}`;
}

/** Sends in chunks, without a Content-Length. */
async function sendChunked(body: string): Promise<{ status: number; text: string }> {
  const authorization = await bearer('alice');
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        port: api.port,
        host: '127.0.0.1',
        path: '/v1/messages',
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: authorization },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on('error', reject);
    for (let at = 0; at < body.length; at += 1000) request.write(body.slice(at, at + 1000));
    request.end();
  });
}

test('§4.2: a body of exactly MAX_BODY_BYTES is read, with and without a length', async () => {
  expect((await api.send('alice', bodyOf(MAX_BODY_BYTES))).status).toBe(201);
  expect((await sendChunked(bodyOf(MAX_BODY_BYTES))).status).toBe(201);
});

test('§4.2: one byte more is refused', async () => {
  expectProblem(await api.send('alice', bodyOf(MAX_BODY_BYTES + 1)), 413, 'payload_too_large');
});

test('§4.2: one byte more is refused when it comes in chunks without a length', async () => {
  const { status, text } = await sendChunked(bodyOf(MAX_BODY_BYTES + 1));
  expect(status).toBe(413);
  expect(JSON.parse(text).code).toBe('payload_too_large');
});

test('§4.2: the size is checked first, before media type and validity', async () => {
  const response = await api.send('alice', 'x'.repeat(MAX_BODY_BYTES + 1), { 'Content-Type': 'text/plain' });
  expectProblem(response, 413, 'payload_too_large');
});

test('§4.2: a small body that would grow beyond the limit is refused', async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000, 'x'));
  expectProblem(
    await api.send('alice', gzipSync(bodyOf(8_000)), { 'Content-Encoding': 'gzip' }),
    413,
    'payload_too_large',
  );
  expect(bomb.length).toBeGreaterThan(MAX_BODY_BYTES);
  expectProblem(await api.send('alice', bomb, { 'Content-Encoding': 'gzip' }), 413, 'payload_too_large');
});
