import {
  bootApi,
  expectProblem,
  openStores,
  pointersOf,
  type TestApi,
  type TestStores,
} from '../../test/api-fixture';

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

async function sendTo(...to: string[]): Promise<string> {
  return (await api.send('alice', { to, text: 'x' })).body.id;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UNKNOWN_ID = '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11';

async function receiptsOf(id: string): Promise<{ user: string; deliveredAt: string; readAt: string }[]> {
  const response = await api.get('alice', `/v1/messages/${id}/receipts`);
  expect(response.status).toBe(200);
  return response.body.items;
}

test('§4.4: there is a row for each recipient, null until something happens', async () => {
  const id = await sendTo('carol', 'bob');
  expect(await receiptsOf(id)).toEqual([
    { user: 'carol', deliveredAt: null, readAt: null },
    { user: 'bob', deliveredAt: null, readAt: null },
  ]);
});

test('§4.4: a read is recorded with 204, implies delivered, and its time never changes', async () => {
  const id = await sendTo('carol', 'bob');
  const read = await api.post('bob', '/v1/receipts', { read: [id] });
  expect(read.status).toBe(204);
  expect(read.text).toBe('');
  const first = await receiptsOf(id);
  expect(first).toEqual([
    { user: 'carol', deliveredAt: null, readAt: null },
    { user: 'bob', deliveredAt: expect.stringMatching(TIME), readAt: expect.stringMatching(TIME) },
  ]);
  expect((await api.post('bob', '/v1/receipts', { read: [id, id.toUpperCase()] })).status).toBe(204);
  expect(await receiptsOf(id)).toEqual(first);
});

test('§4.4: a hundred ids at once are recorded', async () => {
  const ids = await Promise.all(Array.from({ length: 100 }, () => sendTo('reader')));
  expect((await api.post('reader', '/v1/receipts', { read: ids })).status).toBe(204);
  const rows = await stores.database.query(
    `SELECT 1 FROM receipt WHERE user_id = 'reader' AND read_at IS NOT NULL`,
  );
  expect(rows).toHaveLength(100);
});

test('§4.4: one id that is not in the inbox of the caller is 404, and nothing is recorded', async () => {
  const [mine, foreign] = [await sendTo('bob'), await sendTo('carol')];
  for (const other of [foreign, UNKNOWN_ID]) {
    expectProblem(await api.post('bob', '/v1/receipts', { read: [mine, other] }), 404, 'not_found');
  }
  expect(await receiptsOf(mine)).toEqual([{ user: 'bob', deliveredAt: null, readAt: null }]);
  expect(await receiptsOf(foreign)).toEqual([{ user: 'carol', deliveredAt: null, readAt: null }]);
});

test('§4.4: the sender who is no recipient cannot read its own message', async () => {
  expectProblem(await api.post('alice', '/v1/receipts', { read: [await sendTo('bob')] }), 404, 'not_found');
});

test('§4.4: only the sender sees receipts; anyone else gets the 404 of no such message', async () => {
  const id = await sendTo('bob');
  const nothing = await api.get('bob', `/v1/messages/${UNKNOWN_ID}/receipts`);
  for (const user of ['bob', 'mallory']) {
    const response = await api.get(user, `/v1/messages/${id}/receipts`);
    expectProblem(response, 404, 'not_found');
    expect(response.body).toEqual(nothing.body);
  }
});

test.each<[string, unknown, string[]]>([
  ['no object', [UNKNOWN_ID], ['']],
  ['read missing', {}, ['/read']],
  ['read null', { read: null }, ['/read']],
  ['read a string', { read: UNKNOWN_ID }, ['/read']],
  ['read empty', { read: [] }, ['/read']],
  ['101 ids', { read: Array(101).fill(UNKNOWN_ID) }, ['/read']],
  ['one that is not a UUID', { read: [UNKNOWN_ID, 'nope'] }, ['/read/1']],
  ['a number', { read: [1] }, ['/read/0']],
  ['an object', { read: [{ id: UNKNOWN_ID }] }, ['/read/0']],
  ['a UUID with a newline', { read: [`${UNKNOWN_ID}\n`] }, ['/read/0']],
  ['an unknown field', { read: [UNKNOWN_ID], user: 'bob' }, ['/user']],
])('§4.4: a body is refused with a pointer: %s', async (_name, body, pointers) => {
  const response = await api.post('bob', '/v1/receipts', body);
  expectProblem(response, 422, 'invalid_message');
  expect(pointersOf(response)).toEqual(pointers);
});

test('§4.2: what is no JSON in UTF-8 is refused as everywhere', async () => {
  expectProblem(await api.post('bob', '/v1/receipts', '{'), 400, 'invalid_json');
  expectProblem(await api.post('bob', '/v1/receipts', ''), 400, 'empty_body');
  expectProblem(
    await api.post('bob', '/v1/receipts', '{}', { 'Content-Type': 'text/plain' }),
    415,
    'unsupported_media_type',
  );
});
