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

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

test.each([
  ['cut', '{"to":["bob"],"text":"x"'],
  ['single quotes', "{'to':['bob']}"],
  ['two values', '{"to":["bob"],"text":"x"}{}'],
  ['a comment', '{"to":["bob"],"text":"x"} // hi'],
  ['NaN', '{"to":["bob"],"text":NaN}'],
  ['white space only', ' \n '],
  ['a byte order mark only', '\ufeff'],
  ['a raw control character in a string', '{"to":["bob"],"text":"a\u0000b"}'],
])('§4.2: a body that is not JSON is refused: %s', async (_name, body) => {
  expectProblem(await api.send('alice', body), 400, 'invalid_json');
});

test('§4.2: an empty body is refused, with and without a media type', async () => {
  expectProblem(await api.send('alice', ''), 400, 'empty_body');
  const bare = await api
    .http()
    .post('/v1/messages')
    .set('Authorization', await bearer('alice'));
  expectProblem(bare, 400, 'empty_body');
});

test.each([
  ['a byte that starts nothing', [0xff]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a cut sequence', [0xe2, 0x82]],
  ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
])('§4.2: a body that is not UTF-8 is refused: %s', async (_name, bytes) => {
  const body = Buffer.concat([Buffer.from('{"to":["bob"],"text":"'), Buffer.from(bytes), Buffer.from('"}')]);
  expectProblem(await api.send('alice', body), 400, 'invalid_utf8');
});

test.each(['gzip', 'deflate', 'br'])(
  '§4.2: a body that is not %s although it says so is refused',
  async (encoding) => {
    const response = await api.send('alice', '{"to":["bob"],"text":"x"}', { 'Content-Encoding': encoding });
    expectProblem(response, 400, 'malformed_request');
  },
);

test.each([
  ['empty', ''],
  ['256 characters', 'k'.repeat(256)],
  ['with a space', 'a b'],
  ['with a tab', 'a\tb'],
  ['not ASCII', 'clé'],
])('§4.1: an Idempotency-Key is refused: %s', async (_name, key) => {
  const response = await api.send('alice', { to: ['bob'], text: 'x' }, { 'Idempotency-Key': key });
  expectProblem(response, 400, 'invalid_idempotency_key');
});

test('a refused send changes no row', async () => {
  expect(await stores.database.query('SELECT id FROM message')).toEqual([]);
  expect(await stores.database.query('SELECT user_id FROM inbox')).toEqual([]);
  expect(await stores.database.query('SELECT key FROM idempotency_key')).toEqual([]);
});
