import { whenBlocked } from '@posthorn/testing';
import type { Response } from 'supertest';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';
import { PATIENT } from '../../test/patient-waits';

/** Instead of the 1.3 s of production. */
const LOCKED_ROW_MS = 300;
let stores: TestStores;
/** For these a held row is waited for until it is free. */
let apis: readonly [TestApi, TestApi];
let hasty: TestApi;
let release: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  stores = await openStores();
  apis = [await bootApi(stores), await bootApi(stores)];
  hasty = await bootApi(stores, {}, { waits: { ...PATIENT, lockedRowMs: LOCKED_ROW_MS } });
  for (const user of ['lockme', 'free']) {
    expect((await apis[0].send('alice', { to: [user], text: 'seed' })).status).toBe(201);
  }
});

afterEach(() => release());

afterAll(async () => {
  await Promise.all([...apis, hasty].map((api) => api.stop()));
  await stores.drop();
});

/**
 * Sends what is kept waiting, again and again through both processes, and meanwhile one after the other to `free`,
 * which is served while the others still wait. Resolves with those, once the row is free.
 */
async function expectOnlyHeldWait(
  sendHeld: (api: TestApi, nth: number) => Promise<Response>,
): Promise<Response[]> {
  const held: Promise<Response>[] = [];
  let answered = 0;
  const countAnswer = (response: Response): Response => {
    answered += 1;
    return response;
  };
  for (let nth = 0; nth < 6; nth++) {
    held.push(...apis.map((api) => sendHeld(api, nth).then(countAnswer)));
    const free = await Promise.all(apis.map((api) => api.send('bob', { to: ['free'], text: 'x' })));
    expect(free.map(({ status }) => status)).toEqual([201, 201]);
  }
  expectProblem(await sendHeld(hasty, 0), 503, 'unavailable');
  expect(answered).toBe(0);
  await release();
  return await Promise.all(held);
}

async function expectGapless(user: string): Promise<void> {
  const { items, lastSeq } = (await apis[0].get(user, '/v1/inbox')).body;
  expect(items.map(({ seq }: { seq: number }) => seq)).toEqual(
    Array.from({ length: lastSeq }, (_, nth) => nth + 1),
  );
}

test('§4.8: a counter row that another transaction holds gives 503 to its own recipient only, on every process', async () => {
  release = await stores.database.hold(`SELECT * FROM inbox WHERE user_id = 'lockme' FOR UPDATE`);
  const held = await expectOnlyHeldWait((api, nth) =>
    api.send('alice', { to: nth % 2 === 0 ? ['lockme'] : ['free', 'lockme'], text: 'x' }),
  );
  for (const { status } of held) expect(status).toBe(201);
  await expectGapless('lockme');
});

test('§4.8: so does an idempotency key whose owner has not committed', async () => {
  release = await stores.database.hold(
    `INSERT INTO idempotency_key (sender, key, body_hash, message_id) VALUES ('alice', 'k', '', gen_random_uuid())`,
  );
  const held = await expectOnlyHeldWait((api) =>
    api.send('alice', { to: ['other'], text: 'x' }, { 'Idempotency-Key': 'k' }),
  );
  // Its owner goes without having committed: the first that waits gets the key, the others repeat it.
  const statuses = held.map(({ status }) => status).sort((a, b) => a - b);
  expect(statuses).toEqual([...Array(held.length - 1).fill(200), 201]);
});

test('§1: what waits for a held row is committed once it is free, with a gapless seq', async () => {
  release = await stores.database.hold(`SELECT * FROM inbox WHERE user_id = 'lockme' FOR UPDATE`);
  const sends = apis.flatMap((api) => [
    api.send('alice', { to: ['lockme'], text: 'x' }),
    api.send('alice', { to: ['lockme', 'free'], text: 'x' }),
  ]);
  await whenBlocked(stores.database);
  await release();
  for (const { status } of await Promise.all(sends)) expect(status).toBe(201);
  await expectGapless('lockme');
});

test('§4.4: a receipt row that another transaction holds gives 503 to its own reader only', async () => {
  const idFor = async (user: string): Promise<string> =>
    (await apis[0].send('alice', { to: [user], text: 'x' })).body.id;
  const held = await idFor('lockme');
  expect((await apis[0].post('lockme', '/v1/receipts', { read: [held] })).status).toBe(204);
  release = await stores.database.hold('UPDATE receipt SET read_at = NULL WHERE message_id = $1', [held]);
  const frees = await Promise.all(Array.from({ length: 6 }, () => idFor('free')));
  const waiting: Promise<Response>[] = [];
  let answered = 0;
  for (const id of frees) {
    waiting.push(
      apis[0].post('lockme', '/v1/receipts', { read: [held] }).finally(() => {
        answered += 1;
      }),
    );
    expect((await apis[0].post('free', '/v1/receipts', { read: [id] })).status).toBe(204);
  }
  expectProblem(await hasty.post('lockme', '/v1/receipts', { read: [held] }), 503, 'unavailable');
  expect(answered).toBe(0);
  await release();
  for (const { status } of await Promise.all(waiting)) expect(status).toBe(204);
});
