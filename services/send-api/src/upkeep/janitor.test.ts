import { InboxDatabase, purgeIdempotencyKeys } from '@posthorn/inbox';
import { loadSendApiSettings } from '@posthorn/runtime';
import { createServiceContext, TEST_SECRET } from '@posthorn/testing';
import { bootApi, openStores, type TestApi, type TestStores } from '../../test/api-fixture';
import { PATIENT } from '../../test/patient-waits';
import { createJanitor } from './janitor';

let stores: TestStores;
let api: TestApi;
let inbox: InboxDatabase;
const { log, lines } = createServiceContext(
  'send-api',
  loadSendApiSettings({
    DATABASE_URL: 'postgres://x/x',
    REDIS_URL: 'redis://x',
    AUTH_JWT_SECRET: TEST_SECRET,
  }),
);

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
  inbox = InboxDatabase.open({ url: stores.database.url, log, waits: PATIENT.database });
});

afterAll(async () => {
  await inbox.close();
  await api.stop();
  await stores.drop();
});

test('§4.1: a key is kept for 24 hours; after that it is purged, and used anew it is a new message', async () => {
  const send = { to: ['bob'], text: 'x' };
  const old = await api.send('alice', send, { 'Idempotency-Key': 'old' });
  const young = await api.send('alice', send, { 'Idempotency-Key': 'young' });
  await stores.database.query(
    `UPDATE idempotency_key SET created_at = now() - CASE key WHEN 'old' THEN interval '25 hours' ELSE interval '23 hours' END`,
  );
  let purged = 0;
  const janitor = createJanitor({
    purge: (limit) => purgeIdempotencyKeys(inbox, limit),
    onPurged: (count) => {
      purged += count;
    },
    log,
  });
  await janitor.run();
  expect(purged).toBe(1);
  const again = await api.send('alice', send, { 'Idempotency-Key': 'young' });
  expect([again.status, again.body.id]).toEqual([200, young.body.id]);
  const anew = await api.send('alice', send, { 'Idempotency-Key': 'old' });
  expect(anew.status).toBe(201);
  expect(anew.body.id).not.toBe(old.body.id);
});

test('a round goes on until a batch is not full, and ends after a bounded number of batches', async () => {
  const counts = [1_000, 1_000, 3];
  const sizes: number[] = [];
  const purge = async (limit: number): Promise<number> => {
    sizes.push(limit);
    return counts.shift() ?? 1_000;
  };
  const janitor = createJanitor({ purge, onPurged: () => undefined, log });
  expect(await janitor.run()).toBeGreaterThan(0);
  expect(sizes).toEqual([1_000, 1_000, 1_000]);
  // The next round follows at once.
  expect(await janitor.run()).toBe(0);
  expect(sizes).toHaveLength(53);
});

test('a round that fails is over, and stop waits for the one that runs', async () => {
  const failing = createJanitor({
    purge: () => Promise.reject(new Error('no Postgres')),
    onPurged: () => undefined,
    log,
  });
  failing.start();
  expect(await failing.run()).toBeGreaterThan(0);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', message: 'idempotency keys not purged' });
  await failing.stop();
});
