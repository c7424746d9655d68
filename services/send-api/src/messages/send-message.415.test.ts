import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

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
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/json; charset=latin1',
  'application/json; charset=utf-16le',
  'application/json; charset=bogus',
  'application/json; charset=utf-8; charset=latin1',
  'application/json; charset',
  'application/jsonp',
  'application/problem+json',
  'text/json',
  'application/json, text/plain',
])('§4.2: the media type "%s" is refused', async (type) => {
  const response = await api.send('alice', '{"to":["bob"],"text":"x"}', { 'Content-Type': type });
  expectProblem(response, 415, 'unsupported_media_type');
});

test.each(['compress', 'zstd', 'gzip, gzip', 'utf-8'])(
  '§4.2: the encoding "%s" is refused',
  async (encoding) => {
    const response = await api.send('alice', '{"to":["bob"],"text":"x"}', { 'Content-Encoding': encoding });
    expectProblem(response, 415, 'unsupported_media_type');
  },
);
