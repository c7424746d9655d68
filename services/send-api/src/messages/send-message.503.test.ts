import { eventually, FaultProxy } from '@posthorn/testing';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';
import { PATIENT } from '../../test/patient-waits';

const send = { to: ['bob'], text: 'x' };
const ID = '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11';
/** Instead of the time of production, which `message-committer.test.ts` compares with the promised 2 s. */
const POSTGRES_MS = 1_000;

let stores: TestStores;
let proxy: FaultProxy;

beforeAll(async () => {
  stores = await openStores();
  proxy = await FaultProxy.open(stores.database.url);
});

afterAll(async () => {
  await proxy.close();
  await stores.drop();
});

/** With fresh connections: bytes that were lost on the old ones stay lost. */
function heal(): void {
  proxy.mode = 'reset';
  proxy.mode = 'pass';
}

describe('with a Postgres that is gone and comes again', () => {
  let api: TestApi;

  // Its waits do not end within the test: what it answers it answers at once.
  beforeAll(async () => {
    api = await bootApi(stores, { DATABASE_URL: proxy.through(stores.database.url) });
  });

  afterEach(heal);

  afterAll(() => api.stop());

  test('§4.8: every endpoint answers 503 with Retry-After, and is well again with Postgres', async () => {
    expect((await api.send('alice', send)).status).toBe(201);
    proxy.mode = 'reset';

    const requests = [
      () => api.send('alice', send, { 'Idempotency-Key': 'outage' }),
      () => api.get('alice', '/v1/inbox'),
      () => api.get('alice', `/v1/messages/${ID}`),
      () => api.get('alice', `/v1/messages/${ID}/receipts`),
      () => api.post('alice', '/v1/receipts', { read: [ID] }),
      () => api.get('alice', '/v1/presence?users=bob'),
    ];
    for (const request of requests) {
      const response = await request();
      expectProblem(response, 503, 'unavailable');
      expect(response.headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
    }
    expect((await api.readiness()).ready).toBe(false);
    expect((await api.readiness()).missing).toHaveProperty('postgres');

    heal();
    await eventually('a 201', async () => (await api.send('alice', send)).status === 201);
    expect((await api.send('alice', send, { 'Idempotency-Key': 'outage' })).status).toBe(201);
    expect((await api.readiness()).ready).toBe(true);
  });

  test('§4.8: refusals that need no Postgres stay what they are', async () => {
    proxy.mode = 'reset';
    expectProblem(await api.send('alice', {}), 422, 'invalid_message');
    expectProblem(await api.send('alice', 'no'), 400, 'invalid_json');
    expectProblem(await api.http().get('/v1/inbox'), 401, 'unauthorized');
    expectProblem(await api.get('alice', '/v1/messages/nope'), 404, 'not_found');
  });
});

describe('with a Postgres whose answers get lost', () => {
  let direct: TestApi;
  let api: TestApi;

  // Nothing but the wait of a request ends.
  beforeAll(async () => {
    direct = await bootApi(stores);
    api = await bootApi(
      stores,
      { DATABASE_URL: proxy.through(stores.database.url) },
      { waits: { ...PATIENT, postgresMs: POSTGRES_MS } },
    );
  });

  afterEach(heal);

  afterAll(async () => {
    await Promise.all([api.stop(), direct.stop()]);
  });

  /** Also connects, so that what is sent next gets to Postgres. */
  async function expectWell(): Promise<void> {
    await eventually('Postgres is there', async () => (await api.send('alice', send)).status === 201);
  }

  test('§4.8: a send whose outcome is unknown gets 503, and the same key settles it', async () => {
    await expectWell();
    proxy.mode = 'drop-replies';
    const texts = Array.from({ length: 30 }, (_, index) => `u${index}`);
    const sendText = (to: TestApi, text: string) =>
      to.send('alice', { to: ['bob'], text }, { 'Idempotency-Key': text });
    const unknown = await Promise.all(texts.map((text) => sendText(api, text)));
    for (const response of unknown) expectProblem(response, 503, 'unavailable');
    await eventually('one was committed all the same', async () => {
      const rows = await stores.database.query(`SELECT text FROM message WHERE text LIKE 'u%'`);
      return rows.length > 0;
    });

    heal();
    const settled = await Promise.all(texts.map((text) => sendText(direct, text)));
    const statuses = settled.map(({ status }) => status);
    expect(statuses).toContain(200);
    for (const status of statuses) expect([200, 201]).toContain(status);
    const rows = await stores.database.query(`SELECT text FROM message WHERE text LIKE 'u%'`);
    expect(rows).toHaveLength(texts.length);
    await expectWell();
  });

  test('§4.8: while Postgres hangs, a hundred sends are all answered, each within its own time', async () => {
    await expectWell();
    proxy.mode = 'blackhole';
    const refused = await Promise.all(Array.from({ length: 100 }, () => api.send('alice', send)));
    for (const response of refused) expectProblem(response, 503, 'unavailable');
    heal();
    await expectWell();
  });
});

describe('with a schema that is behind', () => {
  test('§2.5: the service starts, is unready and says why, and answers 503', async () => {
    const behind = await openStores();
    await behind.database.query('DROP SCHEMA public CASCADE');
    await behind.database.query('CREATE SCHEMA public');
    const api = await bootApi(behind, {}, { untilReady: false });
    const { ready, missing } = await api.readiness();
    expect(ready).toBe(false);
    expect(missing['schema']).toMatch(/pnpm migrate/);
    expectProblem(await api.send('alice', send), 503, 'unavailable');
    await api.stop();
    await behind.drop();
  });
});
