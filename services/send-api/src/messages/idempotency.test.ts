import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

let stores: TestStores;
let one: TestApi;
let two: TestApi;

beforeAll(async () => {
  stores = await openStores();
  [one, two] = await Promise.all([bootApi(stores), bootApi(stores)]);
});

afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await stores.drop();
});

const withKey = (key: string): Record<string, string> => ({ 'Idempotency-Key': key });

function statusesOf(responses: readonly { status: number }[]): number[] {
  return responses.map(({ status }) => status).sort((a, b) => a - b);
}

async function countMessages(text: string): Promise<number> {
  return (await stores.database.query('SELECT id FROM message WHERE text = $1', [text])).length;
}

test('§4.1: a repeat with the same body gets the first message with 200, and nothing is sent twice', async () => {
  const body = { to: ['bob', 'carol'], text: 'once', data: { a: 1 } };
  const first = await one.send('alice', body, withKey('repeat'));
  expect(first.status).toBe(201);
  expect(first.headers).not.toHaveProperty('idempotency-replayed');
  for (const api of [one, two, one]) {
    const again = await api.send('alice', body, withKey('repeat'));
    expect(again.status).toBe(200);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.headers['location']).toBe(first.headers['location']);
    expect(again.body).toEqual(first.body);
  }
  expect(await countMessages('once')).toBe(1);
});

test('§4.1: bodies are the same when their JSON values are: order of keys, spaces, escapes, encodings', async () => {
  const first = await one.send(
    'alice',
    '{"to":["bob"],"text":"é","data":{"a":{"x":1,"y":[1,2]},"b":1.0}}',
    withKey('same'),
  );
  expect(first.status).toBe(201);
  const spaced = ' { "data" : {"b":1, "a":{"y":[1,2],"x":1e0}}, "text":"\\u00e9","to":["bob"]}';
  const again = await two.send('alice', spaced, withKey('same'));
  expect(again.status).toBe(200);
  expect(again.body.id).toBe(first.body.id);
});

test.each([
  ['another text', { to: ['bob'], text: 'other' }],
  ['another recipient', { to: ['carol'], text: 'base' }],
  ['recipients in another order', { to: ['carol', 'bob'], text: 'base' }],
  ['more data', { to: ['bob', 'carol'], text: 'base', data: {} }],
  ['a from that was not there', { from: 'alice', to: ['bob', 'carol'], text: 'base' }],
])('§4.1: the same key with another body is refused: %s', async (name, body) => {
  const key = name.replaceAll(' ', '-');
  const first = await one.send('alice', { to: ['bob', 'carol'], text: 'base' }, withKey(key));
  expect(first.status).toBe(201);
  expectProblem(await two.send('alice', body, withKey(key)), 422, 'idempotency_conflict');
  expectProblem(await two.send('alice', body, withKey(key)), 422, 'idempotency_conflict');
});

test('§4.1: a key belongs to its sender', async () => {
  const body = { to: ['bob'], text: 'mine' };
  const mine = await one.send('alice', body, withKey('shared-key'));
  const theirs = await one.send('zoe', body, withKey('shared-key'));
  expect([mine.status, theirs.status]).toEqual([201, 201]);
  const asZoe = await one.send('robot send:as', { ...body, from: 'zoe' }, withKey('shared-key'));
  expectProblem(asZoe, 422, 'idempotency_conflict');
});

test('§4.1: twenty twins at once over two processes make one message: one 201, nineteen 200', async () => {
  const body = { to: ['bob'], text: 'raced' };
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).send('racer', body, withKey('race'))),
  );
  expect(statusesOf(responses)).toEqual([...Array(19).fill(200), 201]);
  expect(new Set(responses.map((response) => response.body.id)).size).toBe(1);
  expect(responses.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(19);
  expect(await countMessages('raced')).toBe(1);
});

test('§4.1: racing twins with two bodies: one wins, every other body is refused', async () => {
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 3 ? one : two).send(
        'racer',
        { to: ['bob'], text: `body-${index % 2}` },
        withKey('two-bodies'),
      ),
    ),
  );
  expect(statusesOf(responses)).toEqual([...Array(9).fill(200), 201, ...Array(10).fill(422)]);
  expect((await countMessages('body-0')) + (await countMessages('body-1'))).toBe(1);
});

test('§4.1: a key of 255 visible characters works; without a key every send is a new message', async () => {
  const body = { to: ['bob'], text: 'long-key' };
  const key = '!~"'.repeat(85);
  expect((await one.send('alice', body, withKey(key))).status).toBe(201);
  expect((await one.send('alice', body, withKey(key))).status).toBe(200);
  expect((await one.send('alice', body)).status).toBe(201);
  expect((await one.send('alice', body)).status).toBe(201);
  expect(await countMessages('long-key')).toBe(3);
});

test('§4.1: a refused body does not use up its key', async () => {
  expectProblem(await one.send('alice', { to: [], text: 'x' }, withKey('again')), 422, 'invalid_message');
  expect((await one.send('alice', { to: ['bob'], text: 'x' }, withKey('again'))).status).toBe(201);
});
