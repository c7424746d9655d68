import { mintToken } from '@posthorn/stack';
import { eventually, TEST_SECRET } from '@posthorn/testing';
import { expectProblem, GatewayFixture, refusalOf, signToken, type TestGateway } from './gateway.fixture';
import { RawClient, type RawResponse, upgradeHeaders } from './raw-client.fixture';

const nowS = Math.floor(Date.now() / 1_000);
const good = { sub: 'bob', exp: nowS + 600 };

describe('an upgrade without a good token', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start();
  });
  afterAll(async () => {
    expect(await gateway.metric('connections')).toBe(0);
    await fixture.close();
  });

  async function request(
    headers: Record<string, string | readonly string[]>,
    query = '',
  ): Promise<RawResponse> {
    const client = new RawClient(gateway.port);
    client.request(`GET /v1/connect${query}`, { ...upgradeHeaders, ...headers });
    const response = await client.response();
    client.socket.destroy();
    return response;
  }

  const cut = signToken(good).slice(0, -8);
  it.each<[string, string]>([
    ['garbage', 'garbage'],
    ['an empty JWT', '..'],
    ['another secret', signToken(good, { alg: 'HS256' }, 'another-secret-that-is-long-enough-too')],
    ['a changed signature', `${cut}${'A'.repeat(8)}`],
    ['a cut signature', cut],
    ['a fourth segment', `${signToken(good)}.x`],
    ['the algorithm none', signToken(good, { alg: 'none' })],
    ['an algorithm that is not configured', signToken(good, { alg: 'HS512' })],
    ['RS256 in the header of an HS256 signature', signToken(good, { alg: 'RS256' })],
    ['an unknown crit', signToken(good, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['no exp', signToken({ sub: 'bob' })],
    ['exp as a string', signToken({ ...good, exp: String(nowS + 600) })],
    ['an exp that passed more than the leeway ago', signToken({ ...good, exp: nowS - 6 })],
    ['nbf in the future', signToken({ ...good, nbf: nowS + 60 })],
    ['no sub', signToken({ exp: nowS + 600 })],
    ['an empty sub', signToken({ ...good, sub: '' })],
    ['a number as sub', signToken({ ...good, sub: 7 })],
    ['an object as sub', signToken({ ...good, sub: { id: 'bob' } })],
    ['an array as sub', signToken({ ...good, sub: ['bob'] })],
    ['a sub outside the alphabet', signToken({ ...good, sub: 'bob/../alice' })],
    ['a sub with a newline at its end', signToken({ ...good, sub: 'bob\n' })],
    ['a sub of 129 characters', signToken({ ...good, sub: 'b'.repeat(129) })],
    ['a token over 8 KB', signToken({ ...good, padding: 'x'.repeat(8_000) })],
  ])('§3: gets 401 for %s, in the header and as a subprotocol', async (_, token) => {
    for (const headers of [
      { Authorization: `Bearer ${token}` },
      { 'Sec-WebSocket-Protocol': `posthorn.v1, posthorn.bearer.${token}` },
    ]) {
      const response = await request(headers);
      expectProblem(response, 401, 'unauthorized');
      expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(response.body).not.toContain(token);
    }
  });

  it.each<[string, Record<string, string | readonly string[]>]>([
    ['no token at all', {}],
    ['Basic credentials', { Authorization: 'Basic Ym9iOmJvYg==' }],
    ['a bare token', { Authorization: signToken(good) }],
    [
      'two Authorization headers',
      { Authorization: [`Bearer ${signToken(good)}`, `Bearer ${signToken(good)}`] },
    ],
    [
      'two bearer subprotocols',
      {
        'Sec-WebSocket-Protocol': `posthorn.v1, posthorn.bearer.${signToken(good)}, posthorn.bearer.${signToken({ ...good, sub: 'eve' })}`,
      },
    ],
    [
      'a bad header beside a good subprotocol',
      {
        Authorization: 'Bearer no',
        'Sec-WebSocket-Protocol': `posthorn.v1, posthorn.bearer.${signToken(good)}`,
      },
    ],
  ])('§3: gets 401 for %s', async (_, headers) => {
    expectProblem(await request(headers), 401, 'unauthorized');
  });

  it.each(['token', 'access_token', 'authorization', 'jwt'])(
    '§3: a token in the query (%s) is not read, and is in no log',
    async (name) => {
      const token = await mintToken({ user: 'bob', secret: TEST_SECRET });
      expectProblem(await request({}, `?${name}=${token}`), 401, 'unauthorized');
      expect(JSON.stringify(gateway.lines)).not.toContain(token);
    },
  );

  it('§3: says that the token expired, so that a client knows to get a fresh one', async () => {
    const refused = await refusalOf(gateway.connectWith(signToken({ ...good, exp: nowS - 60 })));
    expectProblem(refused, 401, 'unauthorized');
    expect(refused.headers['www-authenticate']).toContain('expired');
  });

  it('§3: takes a token that ended within the leeway of 5 s', async () => {
    // The leeway may be over by the time that a busy gateway looks.
    const client = await eventually('one in time', () =>
      gateway
        .connectWith(signToken({ ...good, exp: Math.floor(Date.now() / 1_000) - 1 }))
        .catch(() => undefined),
    );
    expect(await client.next()).toMatchObject({ type: 'welcome' });
    await client.close();
  });

  it('§2: checks issuer and audience where they are set', async () => {
    const strict = await fixture.start({ AUTH_ISSUER: 'https://login.example', AUTH_AUDIENCE: 'posthorn' });
    const right = { ...good, iss: 'https://login.example', aud: ['posthorn', 'other'] };
    for (const claims of [good, { ...right, iss: 'https://evil.example' }, { ...right, aud: 'other' }]) {
      expectProblem(await refusalOf(strict.connectWith(signToken(claims))), 401, 'unauthorized');
    }
    const client = await strict.connectWith(signToken(right));
    expect(await client.next()).toMatchObject({ type: 'welcome' });
    await client.close();
  });
});
