import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { bootApi, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores, {
    MAX_TEXT_CHARS: '100',
    MAX_DATA_BYTES: '200',
    MAX_RECIPIENTS: '30',
    LOG_LEVEL: 'debug',
  });
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The messages in a user's inbox, as that user sees them. */
async function inboxOf(user: string): Promise<{ seq: number; message: Record<string, unknown> }[]> {
  return (await api.get(user, '/v1/inbox')).body.items;
}

test('§4.1: a 201 shows the message as its sender sees it, and where it is', async () => {
  const response = await api.send('alice', {
    to: ['bob', 'carol'],
    text: 'hello',
    data: { any: 'json object' },
  });
  expect(response.status).toBe(201);
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.body).toEqual({
    id: expect.stringMatching(UUID_V7),
    from: 'alice',
    to: ['bob', 'carol'],
    text: 'hello',
    data: { any: 'json object' },
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  expect(response.headers['location']).toBe(`/v1/messages/${response.body.id}`);
});

test('§4.1: a recipient sees the message without to; what was not given is absent', async () => {
  const { body } = await api.send('alice', { to: ['dave', 'erin'], text: 'only text' });
  const { to: _to, ...seen } = body;
  expect(await inboxOf('dave')).toEqual([{ seq: 1, message: seen }]);
  expect(Object.keys(seen).sort()).toEqual(['createdAt', 'from', 'id', 'text']);
  const onlyData = await api.send('alice', { to: ['dave'], data: {} });
  expect(onlyData.status).toBe(201);
  expect(onlyData.body).not.toHaveProperty('text');
  expect(onlyData.body.data).toEqual({});
});

test('§4.1: repeats in to count once, also against the limit', async () => {
  const users = Array.from({ length: 30 }, (_, index) => `many-${index}`);
  const response = await api.send('alice', { to: [...users, ...users, 'many-0'], text: 'x' });
  expect(response.status).toBe(201);
  expect(response.body.to).toEqual(users);
  expect(await inboxOf('many-0')).toHaveLength(1);
});

test('§4.1: a sender that names itself gets one copy, with to', async () => {
  const { body } = await api.send('selfish', { to: ['selfish', 'bob'], text: 'note' });
  expect(await inboxOf('selfish')).toEqual([{ seq: 1, message: body }]);
  expect(body.to).toEqual(['selfish', 'bob']);
});

test.each([
  ['white space only', ' \t\n '],
  ['SQL', `'; DROP TABLE message; -- \\ $1 %s _ "`],
  ['combining and wide characters', 'e\u0301 \u00e9 \uff21 👩‍👩‍👧‍👦 \u202e \ufeff'],
  ['control characters', '\u0001\u001f\u007f\u2028'],
  ['100 astral code points, the limit', '𝒳'.repeat(100)],
])('§4.1: text comes back exactly as sent: %s', async (_name, text) => {
  const response = await api.send('alice', { to: ['exact'], text });
  expect(response.status).toBe(201);
  expect(response.body.text).toBe(text);
  expect((await api.get('exact', `/v1/messages/${response.body.id}`)).body.text).toBe(text);
});

test('§4.1: data comes back unchanged: __proto__ and constructor keys, order, nesting', async () => {
  const data =
    '{"z":1,"__proto__":{"polluted":true},"constructor":{"prototype":1},"a":[null,-0.5,1e+21,{"é":"\\""}]}';
  const response = await api.send('alice', `{"to":["proto"],"data":${data}}`);
  expect(response.status).toBe(201);
  expect(response.text).toContain(`"data":${data}`);
  const seen = await api.get('proto', `/v1/messages/${response.body.id}`);
  expect(seen.text).toContain(`"data":${data}`);
  expect(JSON.stringify((await inboxOf('proto'))[0]?.message['data'])).toBe(data);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});

test('§4.1: data of exactly MAX_DATA_BYTES as compact JSON is accepted, however it is spaced', async () => {
  const fill = 'é'.repeat(96); // {"k":"…"} has 8 bytes around 192
  const response = await api.send('alice', `{"to":["bob"], "data":  {  "k" :   "${fill}" } }`);
  expect(response.status).toBe(201);
});

test('§3: from needs no scope to name oneself, and send:as to name somebody else', async () => {
  const self = await api.send('alice', { from: 'alice', to: ['bob'], text: 'x' });
  expect(self.status).toBe(201);
  const as = await api.send('robot send:as', { from: 'zoe', to: ['bob'], text: 'x' });
  expect(as.status).toBe(201);
  expect(as.body.from).toBe('zoe');
  expect((await api.get('zoe', `/v1/messages/${as.body.id}/receipts`)).status).toBe(200);
  expect((await api.get('robot', `/v1/messages/${as.body.id}/receipts`)).status).toBe(404);
});

test('§3: every legal user id is served: 128 characters, colons, at signs, dots', async () => {
  const users = ['a'.repeat(128), 'a:b@c.d_e-f', '..', '@', 'Bob', 'bob', '__proto__', 'constructor'];
  const response = await api.send('alice', { to: users, text: 'x' });
  expect(response.status).toBe(201);
  expect(response.body.to).toEqual(users);
  expect(await inboxOf('__proto__')).toHaveLength(1);
});

test.each([
  ['application/json; charset=utf-8'],
  ['application/json;charset="UTF-8"'],
  ['Application/JSON ; charset=utf8'],
])('§4.2: the media type %s is JSON in UTF-8', async (type) => {
  const response = await api.send('alice', '{"to":["bob"],"text":"é"}', { 'Content-Type': type });
  expect(response.status).toBe(201);
});

test('§4.2: a byte order mark is dropped, never stored', async () => {
  const response = await api.send('alice', '\ufeff{"to":["bob"],"text":"x"}');
  expect(response.status).toBe(201);
  expect(response.body.text).toBe('x');
});

test.each([
  ['identity', (bytes: Buffer) => bytes],
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('§4.2: a body in Content-Encoding %s is read', async (encoding, encode) => {
  const bytes = encode(Buffer.from('{"to":["bob"],"text":"packed"}'));
  const response = await api.send('alice', bytes, { 'Content-Encoding': encoding });
  expect(response.status).toBe(201);
  expect(response.body.text).toBe('packed');
});

test('§4: the request id of the caller comes back, a bad one is replaced', async () => {
  const good = await api.send('alice', { to: ['bob'], text: 'x' }, { 'X-Request-Id': 'my.id_1-2' });
  expect(good.headers['x-request-id']).toBe('my.id_1-2');
  const bad = await api.send('alice', { to: ['bob'], text: 'x' }, { 'X-Request-Id': 'a b' });
  expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('§1: concurrent messages leave each inbox without a gap, each with the same message everywhere', async () => {
  const sends = Array.from({ length: 60 }, (_, index) =>
    api.send(`sender-${index % 7}`, {
      to: index % 2 ? ['gap-a', 'gap-b'] : ['gap-b', 'gap-a'],
      text: `${index}`,
    }),
  );
  const ids = (await Promise.all(sends)).map(({ body }) => body.id);
  for (const user of ['gap-a', 'gap-b']) {
    const items = await inboxOf(user);
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(new Set(items.map(({ message }) => message['id']))).toEqual(new Set(ids));
  }
});

test('§2.6: an accepted message is one log line, which holds neither text, data nor token', async () => {
  const response = await api.send(
    'logged',
    { to: ['bob'], text: 'secret words', data: { secret: 'data' } },
    { 'X-Request-Id': 'log-1' },
  );
  const lines = api.lines.filter((line) => line['requestId'] === 'log-1');
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'debug',
      message: 'message accepted',
      user: 'logged',
      messageId: response.body.id,
      recipients: 1,
    }),
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/secret|eyJ/);
});
