import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Response } from 'supertest';
import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from './api-fixture';

let stores: TestStores;
let api: TestApi;
let keySet: Server;
/** What the key set holds now. */
let keys: object[] = [];

const first = generateKeyPairSync('ed25519');
const second = generateKeyPairSync('ed25519');

beforeAll(async () => {
  stores = await openStores();
  keySet = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys }));
  }).listen(0, '127.0.0.1');
  await once(keySet, 'listening');
  keys = [jwk('k1', first.publicKey)];
  api = await bootApi(stores, { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: urlOf(keySet) });
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  await api.stop();
  keySet.closeAllConnections();
  keySet.close();
  await stores.drop();
});

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
}

function jwk(kid: string, key: KeyObject): object {
  return { ...key.export({ format: 'jwk' }), kid, alg: 'EdDSA' };
}

/** Sends a message with a token that is signed by this key. */
async function sendWith(to: TestApi, kid: string, key: KeyObject): Promise<Response> {
  const claims = { sub: 'alice', exp: Math.floor(Date.now() / 1_000) + 600, jti: Math.random() };
  const input = [{ alg: 'EdDSA', kid }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const token = `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
  return await to
    .http()
    .post('/v1/messages')
    .set('Authorization', `Bearer ${token}`)
    .send({ to: ['bob'], text: 'x' });
}

test('§3.2: tokens of a key set are accepted, and a new key is without a restart', async () => {
  expect((await sendWith(api, 'k1', first.privateKey)).status).toBe(201);
  expectProblem(await sendWith(api, 'k2', second.privateKey), 401, 'unauthorized');
  expectProblem(await sendWith(api, 'k1', second.privateKey), 401, 'unauthorized');
  keys = [jwk('k1', first.publicKey), jwk('k2', second.publicKey)];
  // An unknown key makes the set be read again, at most every 10 s.
  const laterMs = Date.now() + 10_000;
  jest.spyOn(Date, 'now').mockReturnValue(laterMs);
  expect((await sendWith(api, 'k2', second.privateKey)).status).toBe(201);
  expect((await sendWith(api, 'k1', first.privateKey)).status).toBe(201);
});

test('§3.2: while the key set has never been read the answer is 503, not 401', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const url = urlOf(gone);
  await new Promise((resolve) => gone.close(resolve));
  const blind = await bootApi(stores, { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: url });
  try {
    const refused = await sendWith(blind, 'k1', first.privateKey);
    expectProblem(refused, 503, 'unavailable');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  } finally {
    await blind.stop();
  }
});
