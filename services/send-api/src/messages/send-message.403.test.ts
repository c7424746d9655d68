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

test.each(['alice', 'alice xsend:as', 'alice send:asx', 'alice send', 'alice SEND:AS'])(
  '§3: from somebody else is refused to "%s"',
  async (caller) => {
    const response = await api.send(caller, { from: 'zoe', to: ['bob'], text: 'x' });
    expectProblem(response, 403, 'forbidden_from');
  },
);

test('§3: from differs from oneself by case, too', async () => {
  expectProblem(await api.send('alice', { from: 'Alice', to: ['bob'], text: 'x' }), 403, 'forbidden_from');
});

test('a refused send changes no row', async () => {
  expect(await stores.database.query('SELECT id FROM message')).toEqual([]);
});
