import { bearer, bootApi, openStores, type TestApi, type TestStores } from './api-fixture';

let stores: TestStores;
const running: TestApi[] = [];

beforeAll(async () => {
  stores = await openStores();
});

afterAll(async () => {
  await Promise.all(running.map((api) => api.stop()));
  await stores.drop();
});

async function boot(allowedOrigins: string): Promise<TestApi> {
  const api = await bootApi(stores, { ALLOWED_ORIGINS: allowedOrigins });
  running.push(api);
  return api;
}

const APP = 'https://app.example.com';

function preflight(api: TestApi, origin: string): Promise<import('supertest').Response> {
  return Promise.resolve(
    api
      .http()
      .options('/v1/messages')
      .set('Origin', origin)
      .set('Access-Control-Request-Method', 'POST')
      .set('Access-Control-Request-Headers', 'authorization,content-type,idempotency-key'),
  );
}

test('§4.9: a listed origin may do everything a page needs, and read every header of ours', async () => {
  const api = await boot(`${APP},http://localhost:5173`);
  const response = await preflight(api, APP);
  expect(response.status).toBe(204);
  expect(response.headers).toMatchObject({
    'access-control-allow-origin': APP,
    'access-control-allow-methods': 'GET, HEAD, POST',
    vary: 'Origin',
  });
  expect(response.headers['access-control-allow-headers']).toMatch(
    /Authorization.*Content-Type.*Idempotency-Key.*traceparent, tracestate/,
  );
  expect(response.headers).not.toHaveProperty('access-control-allow-credentials');

  const refused = await api.http().post('/v1/messages').set('Origin', APP).send('{}');
  expect(refused.status).toBe(401);
  expect(refused.headers['access-control-allow-origin']).toBe(APP);
  expect(refused.headers['access-control-expose-headers']).toMatch(/Location.*Retry-After.*X-Request-Id/);
});

test.each([
  'https://evil.example',
  `${APP}.evil`,
  `${APP}:8443`,
  'http://app.example.com',
  'https://APP.example.com',
  'null',
])('§4.9: H12 the origin %s gets no CORS headers', async (origin) => {
  const api = running[0] ?? (await boot(APP));
  const response = await preflight(api, origin);
  expect(response.status).toBe(204);
  expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  expect(response.headers['vary']).toBe('Origin');
  const get = await api
    .http()
    .get('/v1/inbox')
    .set('Origin', origin)
    .set('Authorization', await bearer('alice'));
  expect(get.status).toBe(200);
  expect(get.headers).not.toHaveProperty('access-control-allow-origin');
});

test('§4.9: with * every origin is allowed, without credentials', async () => {
  const api = await boot('*');
  const response = await preflight(api, 'https://anywhere.example');
  expect(response.status).toBe(204);
  expect(response.headers['access-control-allow-origin']).toBe('*');
  expect(response.headers).not.toHaveProperty('access-control-allow-credentials');
});

test('§4.9: with no origin configured there are no CORS headers at all', async () => {
  const api = await boot('');
  const response = await preflight(api, APP);
  expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  expect(response.headers).not.toHaveProperty('vary');
});
