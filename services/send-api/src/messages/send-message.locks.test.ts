import type { Response } from 'supertest';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

let stores: TestStores;
let apis: readonly [TestApi, TestApi];
let release: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  stores = await openStores();
  apis = [await bootApi(stores), await bootApi(stores)];
  for (const user of ['lockme', 'free']) {
    expect((await apis[0].send('alice', { to: [user], text: 'seed' })).status).toBe(201);
  }
});

afterEach(() => release());

afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  await stores.drop();
});

/** Sends what is kept waiting, again and again through both processes, and meanwhile one after the other to `free`. */
async function expectOnlyHeldRefused(
  sendHeld: (api: TestApi, nth: number) => Promise<Response>,
): Promise<void> {
  const held: Promise<Response>[] = [];
  for (let nth = 0; nth < 8; nth++) {
    held.push(...apis.map((api) => sendHeld(api, nth)));
    const free = await Promise.all(apis.map((api) => api.send('bob', { to: ['free'], text: 'x' })));
    expect(free.map(({ status }) => status)).toEqual([201, 201]);
  }
  for (const refused of await Promise.all(held)) expectProblem(refused, 503, 'unavailable');
}

async function expectGapless(user: string): Promise<void> {
  const { items, lastSeq } = (await apis[0].get(user, '/v1/inbox')).body;
  expect(items.map(({ seq }: { seq: number }) => seq)).toEqual(
    Array.from({ length: lastSeq }, (_, nth) => nth + 1),
  );
}

test('§4.8: a counter row that another transaction holds gives 503 to its own recipient only, on every process', async () => {
  release = await stores.database.hold(`SELECT * FROM inbox WHERE user_id = 'lockme' FOR UPDATE`);
  await expectOnlyHeldRefused((api, nth) =>
    api.send('alice', { to: nth % 2 === 0 ? ['lockme'] : ['free', 'lockme'], text: 'x' }),
  );
  await release();
  expect((await apis[0].send('alice', { to: ['lockme'], text: 'x' })).status).toBe(201);
  await expectGapless('lockme');
});

test('§4.8: so does an idempotency key whose owner has not committed', async () => {
  release = await stores.database.hold(
    `INSERT INTO idempotency_key (sender, key, body_hash, message_id) VALUES ('alice', 'k', '', gen_random_uuid())`,
  );
  await expectOnlyHeldRefused((api) =>
    api.send('alice', { to: ['other'], text: 'x' }, { 'Idempotency-Key': 'k' }),
  );
});

test('§1: what waits for a held row is committed once it is free, with a gapless seq', async () => {
  release = await stores.database.hold(`SELECT * FROM inbox WHERE user_id = 'lockme' FOR UPDATE`);
  const from = performance.now();
  const sends = apis.flatMap((api) => [
    api.send('alice', { to: ['lockme'], text: 'x' }),
    api.send('alice', { to: ['lockme', 'free'], text: 'x' }),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await release();
  for (const { status } of await Promise.all(sends)) expect(status).toBe(201);
  expect(performance.now() - from).toBeLessThan(2_000);
  await expectGapless('lockme');
});

test('§4.4: a receipt row that another transaction holds gives 503 to its own reader only', async () => {
  const idFor = async (user: string): Promise<string> =>
    (await apis[0].send('alice', { to: [user], text: 'x' })).body.id;
  const held = await idFor('lockme');
  expect((await apis[0].post('lockme', '/v1/receipts', { read: [held] })).status).toBe(204);
  release = await stores.database.hold('UPDATE receipt SET read_at = NULL WHERE message_id = $1', [held]);
  const frees = await Promise.all(Array.from({ length: 8 }, () => idFor('free')));
  const waiting: Promise<Response>[] = [];
  for (const id of frees) {
    waiting.push(apis[0].post('lockme', '/v1/receipts', { read: [held] }));
    expect((await apis[0].post('free', '/v1/receipts', { read: [id] })).status).toBe(204);
  }
  for (const refused of await Promise.all(waiting)) expectProblem(refused, 503, 'unavailable');
});
