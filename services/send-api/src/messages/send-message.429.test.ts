import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

let stores: TestStores;
const running: TestApi[] = [];

beforeAll(async () => {
  stores = await openStores();
});

afterAll(async () => {
  await Promise.all(running.map((api) => api.stop()));
  await stores.drop();
});

/** Sends that come at once: so many that a slow machine, too, needs all of the budget long before it is back. */
const MANY = 40;

async function boot(env: Record<string, string>): Promise<TestApi> {
  const api = await bootApi(stores, env);
  running.push(api);
  return api;
}

test('§4.3: a burst of four times the rate is served, then 429 says when to come back', async () => {
  const api = await boot({ RATE_LIMIT_SENDS: '1' });
  const first = await api.send('busy', { to: ['bob'], text: 'x' });
  expect(first.status).toBe(201);
  expect(first.headers['ratelimit-policy']).toBe('"sends";q=4;w=4');
  expect(first.headers['ratelimit']).toBe('"sends";r=3;t=1');

  const rest = await Promise.all(
    Array.from({ length: MANY }, () => api.send('busy', { to: ['bob'], text: 'x' })),
  );
  const refused = rest.filter(({ status }) => status === 429);
  expect(rest.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(3);
  expect(refused.length).toBeGreaterThan(0);
  for (const response of refused) {
    expectProblem(response, 429, 'rate_limited');
    expect(response.headers['retry-after']).toBe('1');
    expect(response.headers['ratelimit']).toBe('"sends";r=0;t=1');
    expect(response.headers['ratelimit-policy']).toBe('"sends";q=4;w=4');
  }
});

test('§4.3: the budget is one over all processes, and each user has its own', async () => {
  const [one, two] = [await boot({ RATE_LIMIT_SENDS: '1' }), await boot({ RATE_LIMIT_SENDS: '1' })];
  const from = performance.now();
  const responses = await Promise.all(
    Array.from({ length: MANY }, (_, index) =>
      (index % 2 ? one : two).send('shared', { to: ['bob'], text: 'x' }),
    ),
  );
  // One comes back each second. Two budgets would allow twice as many.
  const budget = 4 + Math.ceil((performance.now() - from) / 1_000);
  expect(responses.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(budget);
  expect((await one.send('other', { to: ['bob'], text: 'x' })).status).toBe(201);
});

test('§4.3: sends for other users count against the caller', async () => {
  const api = await boot({ RATE_LIMIT_SENDS: '1' });
  const responses = await Promise.all(
    Array.from({ length: MANY }, (_, index) =>
      api.send('gateway-robot send:as', { from: `user-${index}`, to: ['bob'], text: 'x' }),
    ),
  );
  expect(responses.some(({ status }) => status === 429)).toBe(true);
});

test('§2: RATE_LIMIT_SENDS=0 is off: no limit, no headers', async () => {
  const api = await boot({ RATE_LIMIT_SENDS: '0' });
  const responses = await Promise.all(
    Array.from({ length: 20 }, () => api.send('free', { to: ['bob'], text: 'x' })),
  );
  expect(responses.every(({ status }) => status === 201)).toBe(true);
  expect(responses[0]?.headers).not.toHaveProperty('ratelimit');
});
