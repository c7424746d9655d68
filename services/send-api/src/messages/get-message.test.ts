import {
  bearer,
  bootApi,
  expectProblem,
  openStores,
  type TestApi,
  type TestStores,
} from '../../test/api-fixture';

let stores: TestStores;
let api: TestApi;
let id: string;
let sent: Record<string, unknown>;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
  sent = (await api.send('alice', { to: ['bob', 'carol'], text: 'hello', data: { b: 1, a: 2 } })).body;
  id = String(sent['id']);
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

test('§4.1: the sender reads the message with to, a recipient without', async () => {
  const asSender = await api.get('alice', `/v1/messages/${id}`);
  expect(asSender.status).toBe(200);
  expect(asSender.headers['cache-control']).toBe('no-store');
  expect(asSender.body).toEqual(sent);
  const { to: _to, ...seen } = sent;
  const asRecipient = await api.get('carol', `/v1/messages/${id}`);
  expect(asRecipient.status).toBe(200);
  expect(asRecipient.body).toEqual(seen);
});

test('§4.1: the id may be in upper case, as UUIDs may', async () => {
  expect((await api.get('bob', `/v1/messages/${id.toUpperCase()}`)).body.id).toBe(id);
});

test('§4.1: a stranger gets the same answer as for no such id', async () => {
  const stranger = await api.get('mallory', `/v1/messages/${id}`);
  const nothing = await api.get('mallory', '/v1/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11');
  expectProblem(stranger, 404, 'not_found');
  expect(stranger.body).toEqual(nothing.body);
  expect(Object.keys(stranger.headers).sort()).toEqual(Object.keys(nothing.headers).sort());
});

test.each([
  'nope',
  '1',
  "';--",
  '%00',
  'null',
  '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d1',
  '{019a5f3c}',
  `%F0%9F%93%AF`,
])('§4.1: what can be no id of a message is not found: %s', async (text) => {
  expectProblem(await api.get('alice', `/v1/messages/${text}`), 404, 'not_found');
  expectProblem(await api.get('alice', `/v1/messages/${text}/receipts`), 404, 'not_found');
});

test('§4: HEAD answers as GET does, without a body', async () => {
  const response = await api
    .http()
    .head(`/v1/messages/${id}`)
    .set('Authorization', await bearer('alice'));
  expect(response.status).toBe(200);
  expect(Number(response.headers['content-length'])).toBe(JSON.stringify(sent).length);
  expect(response.text ?? '').toBe('');
});
