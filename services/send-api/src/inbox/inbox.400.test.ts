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
  'limit=0',
  'limit=-1',
  'limit=501',
  'limit=1e2',
  'limit=1e9',
  'limit=abc',
  'limit=',
  'limit=1.5',
  'limit=0x10',
  'limit=%2B5',
  'limit=010',
  'limit=5&limit=5',
  'limit[]=5',
  'after=-1',
  'after=1.5',
  'after=abc',
  'after=',
  'after=%31%20',
  'after=9007199254740992',
  'after=9223372036854775808',
  'after=NaN',
  'after=1&after=2',
  'offset=5',
  '__proto__=1',
  'constructor=1&toString=2',
  'Limit=5',
  '%zz=1',
])('§4.5: a bad query is refused: %s', async (query) => {
  expectProblem(await api.get('alice', `/v1/inbox?${query}`), 400, 'invalid_query');
});
