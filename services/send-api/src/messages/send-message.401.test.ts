import { createHmac } from 'node:crypto';
import { mintToken } from '@posthorn/stack';
import { TEST_SECRET } from '@posthorn/testing';
import {
  bearer,
  bootApi,
  expectProblem,
  openStores,
  type TestApi,
  type TestStores,
} from '../../test/api-fixture';

let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores, { LOG_LEVEL: 'debug' });
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

/** A JWT out of any header and payload, signed with the right secret. */
function signed(payload: object, header: object = { alg: 'HS256' }): string {
  const input = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${createHmac('sha256', TEST_SECRET).update(input).digest('base64url')}`;
}

const exp = Math.floor(Date.now() / 1000) + 600;
const good = signed({ sub: 'alice', exp });

async function sendWith(authorization: string): Promise<import('supertest').Response> {
  return await api
    .http()
    .post('/v1/messages')
    .set('Content-Type', 'application/json')
    .set('Authorization', authorization)
    .send('{"to":["bob"],"text":"x"}');
}

test('§3: a token made by hand is accepted, so that the refusals below are for their own reasons', async () => {
  expect((await sendWith(`Bearer ${good}`)).status).toBe(201);
});

test.each([
  ['Basic', 'Basic YWxpY2U6eA=='],
  ['nothing behind Bearer', 'Bearer'],
  ['garbage', 'Bearer garbage'],
  ['an extra segment', `Bearer ${good}.x`],
  ['a cut signature', `Bearer ${good.slice(0, -2)}`],
  [
    'an unsigned token',
    `Bearer ${signed({ sub: 'alice', exp }, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
  ],
  ['another algorithm', `Bearer ${signed({ sub: 'alice', exp }, { alg: 'HS512' })}`],
  ['an unknown crit', `Bearer ${signed({ sub: 'alice', exp }, { alg: 'HS256', crit: ['x'], x: 1 })}`],
  ['no exp', `Bearer ${signed({ sub: 'alice' })}`],
  ['exp as a string', `Bearer ${signed({ sub: 'alice', exp: String(exp) })}`],
  ['expired', `Bearer ${signed({ sub: 'alice', exp: exp - 1200 })}`],
  ['nbf in the future', `Bearer ${signed({ sub: 'alice', exp, nbf: exp - 60 })}`],
  ['no sub', `Bearer ${signed({ exp })}`],
  ['an empty sub', `Bearer ${signed({ sub: '', exp })}`],
  ['sub as a number', `Bearer ${signed({ sub: 7, exp })}`],
  ['sub as an array', `Bearer ${signed({ sub: ['alice'], exp })}`],
  ['sub as an object', `Bearer ${signed({ sub: { a: 1 }, exp })}`],
  ['sub outside the alphabet', `Bearer ${signed({ sub: 'al ice', exp })}`],
  ['sub with a newline', `Bearer ${signed({ sub: 'alice\n', exp })}`],
  ['sub of 129 characters', `Bearer ${signed({ sub: 'a'.repeat(129), exp })}`],
  ['10 KB', `Bearer ${signed({ sub: 'alice', exp, pad: 'x'.repeat(7_000) })}`],
])('§3: a request is refused with: %s', async (_name, authorization) => {
  const response = await sendWith(authorization);
  expectProblem(response, 401, 'unauthorized');
  expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
});

test('§3: a token of another secret is refused', async () => {
  const token = await mintToken({ user: 'alice', secret: 'another-secret-that-is-long-enough-too' });
  expectProblem(await sendWith(`Bearer ${token}`), 401, 'unauthorized');
});

test('§3: a scope that is an array is no scope', async () => {
  const token = signed({ sub: 'alice', exp, scope: ['send:as'] });
  const response = await api
    .http()
    .post('/v1/messages')
    .set('Authorization', `Bearer ${token}`)
    .send({ from: 'zoe', to: ['bob'], text: 'x' });
  expectProblem(response, 403, 'forbidden_from');
});

test('§3: without a token, or with one in the query only, a request is refused', async () => {
  const none = await api
    .http()
    .post('/v1/messages')
    .send({ to: ['bob'], text: 'x' });
  expectProblem(none, 401, 'unauthorized');
  expect(none.headers['www-authenticate']).toBe('Bearer');
  const inQuery = await api.http().get(`/v1/inbox?access_token=${good}&token=${good}`);
  expectProblem(inQuery, 401, 'unauthorized');
});

test('§4.2: the 401 comes before anything about the body', async () => {
  const response = await api.http().post('/v1/messages').set('Content-Type', 'text/plain').send('not json');
  expectProblem(response, 401, 'unauthorized');
});

test.each(['/v1/inbox', '/v1/presence', '/v1/messages/nope', '/v1/messages/nope/receipts'])(
  '§3: %s needs a token, before anything else about the request is looked at',
  async (path) => {
    expectProblem(await api.http().get(path), 401, 'unauthorized');
  },
);

test('§2.6: no token gets into the log', async () => {
  expect(api.lines.length).toBeGreaterThan(0);
  expect(JSON.stringify(api.lines)).not.toContain('eyJ');
  expect(await bearer('alice')).toContain('eyJ');
});
