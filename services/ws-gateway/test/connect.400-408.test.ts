import { connect } from 'node:net';
import { mintToken } from '@posthorn/stack';
import { eventually, TEST_SECRET } from '@posthorn/testing';
import { gatewayDefaults } from '../src/gateway-options';
import { expectProblem, GatewayFixture, type TestGateway } from './gateway.fixture';
import { RawClient, type RawResponse, upgradeHeaders } from './raw-client.fixture';

describe('an upgrade that is malformed or incomplete', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start();
    token = await mintToken({ user: 'bob', secret: TEST_SECRET });
  });
  afterAll(async () => {
    expect(await gateway.metric('connections')).toBe(0);
    expect(await fixture.presence('bob')).toEqual({});
    await fixture.close();
  });

  async function request(
    target: string,
    headers: Record<string, string | readonly string[]> = {},
  ): Promise<RawResponse> {
    const client = new RawClient(gateway.port);
    client.request(`GET ${target}`, { ...upgradeHeaders, Authorization: `Bearer ${token}`, ...headers });
    const response = await client.response();
    await client.ended;
    client.socket.destroy();
    return response;
  }

  it.each([
    'device=',
    `device=${'x'.repeat(65)}`,
    'device=a%20b',
    'device=a+b',
    'device=a%0Ab',
    'device=%C3%A9',
    'device=%ff',
    'device=*',
    'device=a%2Fb',
    'device=a&device=a',
    'after=',
    'after=-1',
    'after=1.5',
    'after=abc',
    'after=1e3',
    'after=%201',
    'after=9007199254740992',
    'after=99999999999999999999',
    'after=1&after=1',
    'epoch=',
    `epoch=${'e'.repeat(65)}`,
    'epoch=a&epoch=b',
    'ack=',
    'ack=Auto',
    'ack=none',
    'ack=auto&ack=auto',
    'unknown=1',
    'Device=a',
    'token=secret-in-a-url',
  ])('§5: gets 400 for the query %s', async (query) => {
    const response = await request(`/v1/connect?${query}`);
    expectProblem(response, 400, 'invalid_query');
  });

  it.each([
    ['a short key', { 'Sec-WebSocket-Key': 'c2hvcnQ=' }],
    ['a key that is no base64', { 'Sec-WebSocket-Key': 'not a key at all, is it?' }],
    ['an empty key', { 'Sec-WebSocket-Key': '' }],
    ['no Host', { Host: [] }],
    ['two Hosts', { Host: ['a', 'b'] }],
    ['a Host that is none', { Host: 'a b/c@@' }],
    ['two keys', { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] }],
    ['a list of subprotocols with a hole', { 'Sec-WebSocket-Protocol': 'posthorn.v1,,other' }],
    ['an empty list of subprotocols', { 'Sec-WebSocket-Protocol': '' }],
    ['a subprotocol that is no token', { 'Sec-WebSocket-Protocol': 'posthorn.v1, a b' }],
    ['a subprotocol offered twice', { 'Sec-WebSocket-Protocol': 'posthorn.v1, posthorn.v1' }],
    ['unknown subprotocols only', { 'Sec-WebSocket-Protocol': 'chat, superchat' }],
    ['a later version of the protocol only', { 'Sec-WebSocket-Protocol': 'posthorn.v2' }],
  ])('§5: gets 400 for %s', async (_, headers) => {
    expectProblem(await request('/v1/connect', headers), 400, 'malformed_request');
  });

  it('§5: gets 400 where the only subprotocol carries the token', async () => {
    const response = await request('/v1/connect', { 'Sec-WebSocket-Protocol': `posthorn.bearer.${token}` });
    expectProblem(response, 400, 'malformed_request');
    expect(response.headers).not.toHaveProperty('sec-websocket-protocol');
  });

  it.each(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9'])(
    '§5: gets 400 in %s, which knows no such upgrade',
    async (version) => {
      const client = new RawClient(gateway.port);
      const headers = Object.entries({ ...upgradeHeaders, Authorization: `Bearer ${token}` });
      const lines = headers.map(([name, value]) => `${name}: ${value}`);
      client.write(`${[`GET /v1/connect ${version}`, ...lines].join('\r\n')}\r\n\r\n`);
      expectProblem(await client.response(), 400, 'malformed_request');
      client.socket.destroy();
    },
  );

  it('§4: answers with the X-Request-Id of the caller where that is one', async () => {
    const [good, bad] = await Promise.all([
      request('/v1/connect?after=x', { 'X-Request-Id': 'Trace_1.2-3' }),
      request('/v1/connect?after=x', { 'X-Request-Id': 'no spaces' }),
    ]);
    expect(good.headers['x-request-id']).toBe('Trace_1.2-3');
    expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['no HTTP', 'rubbish\r\n\r\n', 400, 'malformed_request'],
    ['NUL in a header', 'GET /v1/connect HTTP/1.1\r\nA: \0\r\n\r\n', 400, 'malformed_request'],
    [
      'headers over 16 KB',
      `GET /v1/connect HTTP/1.1\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['a tunnel', 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method_not_allowed'],
  ])('§4: what the HTTP parser refuses gets a problem, too: %s', async (_, bytes, status, code) => {
    const client = new RawClient(gateway.port);
    client.write(bytes);
    expectProblem(await client.response(), status, code);
    await client.ended;
    client.socket.destroy();
  });

  it('§4: one that stays half is answered with 408 and cut after its time, which is 10 s, also where the peer never closes its side', async () => {
    expect(gatewayDefaults.headersTimeoutMs).toBe(10_000);
    const hasty = await fixture.start({}, { headersTimeoutMs: 300 });
    const client = new RawClient(hasty.port);
    const stubborn = connect({ port: hasty.port, host: '127.0.0.1', allowHalfOpen: true });
    stubborn.on('error', () => undefined).resume();
    const startedAt = performance.now();
    for (const socket of [client.socket, stubborn])
      socket.write('GET /v1/connect HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n');
    expectProblem(await client.response(), 408, 'request_timeout');
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    await client.ended;
    // Its own side stays open: what it writes meets a connection that is gone.
    await eventually('reset', () => {
      stubborn.write('X');
      return stubborn.closed;
    });
    client.socket.destroy();
  });
});
