import { mintToken } from '@posthorn/stack';
import { TEST_SECRET } from '@posthorn/testing';
import { expectProblem, GatewayFixture, type TestGateway } from './gateway.fixture';
import { RawClient, type RawResponse, upgradeHeaders } from './raw-client.fixture';

const plain = { Host: 'gateway' };

describe('a request that is no upgrade of ours', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start();
    token = await mintToken({ user: 'bob', secret: TEST_SECRET });
  });
  afterAll(() => fixture.close());

  async function request(line: string, headers: Record<string, string>): Promise<RawResponse> {
    const client = new RawClient(gateway.port);
    client.request(line, { Authorization: `Bearer ${token}`, ...headers });
    const response = await client.response();
    client.socket.destroy();
    return response;
  }

  it.each([
    '/',
    '/v1',
    '/v1/connect/',
    '/v1/connec',
    '/V1/connect',
    '//v1/connect',
    '/%ff%zz',
    '/..%2fv1/connect',
    `/${'x'.repeat(8_000)}`,
  ])('§5: gets 404 for the path %.30s, with or without an upgrade', async (path) => {
    expectProblem(await request(`GET ${path}`, upgradeHeaders), 404, 'not_found');
    expectProblem(await request(`GET ${path}`, plain), 404, 'not_found');
  });

  it.each(['/metrics', '/livez', '/readyz', '/disconnect'])(
    '§2: the admin path %s is not on the public port',
    async (path) => {
      expectProblem(await request(`GET ${path}`, plain), 404, 'not_found');
    },
  );

  it.each(['POST', 'PUT', 'OPTIONS', 'DELETE'])('§5: gets 405 for %s', async (method) => {
    for (const headers of [upgradeHeaders, plain]) {
      const response = await request(`${method} /v1/connect`, { ...headers, 'Content-Length': '0' });
      expectProblem(response, 405, 'method_not_allowed');
      expect(response.headers['allow']).toBe('GET');
    }
  });

  it('§5: gets 405 for CONNECT, which names no path', async () => {
    const response = await request('CONNECT elsewhere:443', plain);
    expectProblem(response, 405, 'method_not_allowed');
    expect(response.headers['allow']).toBe('GET');
  });

  it.each(['100-continue', 'something'])(
    '§5: gets a problem whatever it expects: %s',
    async (expectation) => {
      const headers = { ...plain, Expect: expectation };
      expectProblem(await request('GET /v1/connect', headers), 426, 'upgrade_required');
      expectProblem(await request('GET /', headers), 404, 'not_found');
    },
  );

  it('§5: gets 426 for a plain GET', async () => {
    const response = await request('GET /v1/connect', plain);
    expectProblem(response, 426, 'upgrade_required');
    expect(response.headers['upgrade']).toBe('websocket');
  });

  it.each(['12', '8', '14', '', '13, 12'])(
    '§5: gets 426 for version "%s", and is told of 13',
    async (version) => {
      const response = await request('GET /v1/connect', {
        ...upgradeHeaders,
        'Sec-WebSocket-Version': version,
      });
      expectProblem(response, 426, 'upgrade_required');
      expect(response.headers['sec-websocket-version']).toBe('13');
    },
  );

  it('§5: gets 426 for an upgrade to something else', async () => {
    expectProblem(
      await request('GET /v1/connect', { ...upgradeHeaders, Upgrade: 'h2c' }),
      426,
      'upgrade_required',
    );
  });
});
