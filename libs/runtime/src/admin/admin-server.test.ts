import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { createLogger } from '../log/logger';
import { createMetrics } from '../metrics';
import { problem } from '../problems/problem';
import { checkInTime, healthRoutes, type ReadinessCheck, readinessAnswer } from '../process/readiness';
import type { AdminRoute } from './admin-routes';
import { AdminServer } from './admin-server';

const stream = new PassThrough();
const log = createLogger({ service: 'test', level: 'info', stream });
const echo: AdminRoute = {
  method: 'POST',
  path: '/disconnect',
  handle: async ({ body }) => ({ status: 202, body: { got: body } }),
};
const named: AdminRoute = {
  method: 'GET',
  path: '/things/:thing/parts',
  handle: async ({ params, query, authorization }) => ({
    status: 200,
    body: { params, query, authorization },
  }),
};
const servers: AdminServer[] = [];

afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function listen(routes: readonly AdminRoute[]): Promise<{ server: AdminServer; url: string }> {
  const server = await AdminServer.listen({ port: 0, host: '127.0.0.1', routes, log });
  servers.push(server);
  return { server, url: `http://127.0.0.1:${server.port}` };
}

function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
}

async function codeOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('x-request-id')).toMatch(/./);
  const body: { readonly code: string } = JSON.parse(await response.text());
  expect(body).toMatchObject({ status: response.status, type: `urn:posthorn:error:${body.code}` });
  return `${response.status} ${body.code}`;
}

const failing = (path: string, error: Error): AdminRoute => ({
  method: 'GET',
  path,
  handle: () => Promise.reject(error),
});

it('gives a route what its path names, the query and the token', async () => {
  const { url } = await listen([named]);
  const response = await fetch(`${url}/things/a%2Fb/parts?after=1&limit=2`, {
    headers: { authorization: 'Bearer x' },
  });
  expect(await response.json()).toEqual({
    params: { thing: 'a/b' },
    query: { after: '1', limit: '2' },
    authorization: 'Bearer x',
  });
  for (const path of ['/things//parts', '/things/a/parts/b', '/things/a', '/things/%E0/parts']) {
    expect(await codeOf(await fetch(url + path))).toBe('404 not_found');
  }
  expect(await codeOf(await post(`${url}/things/a/parts`, '{}'))).toBe('405 method_not_allowed');
});

function health(check: ReadinessCheck) {
  return listen(healthRoutes(check, createMetrics('test')));
}

describe('health', () => {
  it('answers /livez whatever readiness says', async () => {
    const { url } = await health(() => new Promise(() => undefined));
    const response = await fetch(`${url}/livez?x=1`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'alive' }]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('answers /readyz 200 with what is degraded, 503 with what is missing', async () => {
    let missing: Record<string, string> = {};
    const { url } = await health(async () => ({
      ready: Object.keys(missing).length === 0,
      missing,
      degraded: { redis: 'out of reach' },
    }));
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', missing: {}, degraded: { redis: 'out of reach' } },
    ]);
    missing = { postgres: 'out of reach' };
    const not = await fetch(`${url}/readyz`);
    expect([not.status, await not.json()]).toEqual([
      503,
      { status: 'unready', missing: { postgres: 'out of reach' }, degraded: { redis: 'out of reach' } },
    ]);
  });

  it('is unready when the check fails, and does not repeat its words', async () => {
    const { url } = await health(() => Promise.reject(new Error('hunter2')));
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('hunter2');
  });

  it('is unready when the check takes too long', async () => {
    jest.useFakeTimers();
    const late = checkInTime(() => new Promise(() => undefined));
    await jest.advanceTimersByTimeAsync(3_000);
    expect(readinessAnswer(await late)).toMatchObject({
      status: 503,
      body: { missing: { readiness: 'no answer within 3000 ms' } },
    });
  });

  it('answers /metrics as Prometheus reads it, event loop lag among them', async () => {
    const { url } = await health(async () => ({ ready: true, missing: {}, degraded: {} }));
    const response = await fetch(`${url}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('posthorn_info{service="test"} 1');
  });

  it('answers HEAD like GET, without a body', async () => {
    const { url } = await health(async () => ({ ready: true, missing: {}, degraded: {} }));
    const response = await fetch(`${url}/readyz`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('routes', () => {
  it('get the JSON body, and answer with theirs', async () => {
    const { url } = await listen([echo]);
    const response = await post(`${url}/disconnect`, '{"user":"alice"}', { 'x-request-id': 'r-1' });
    expect([response.status, await response.json()]).toEqual([202, { got: { user: 'alice' } }]);
    expect(response.headers.get('x-request-id')).toBe('r-1');
    const charset = { 'content-type': 'Application/JSON; charset="UTF-8"' };
    expect((await post(`${url}/disconnect`, '{}', charset)).status).toBe(202);
  });

  it('can be added and replaced while it runs', async () => {
    const { server, url } = await listen([]);
    expect((await post(`${url}/disconnect`, '{}')).status).toBe(404);
    server.addRoutes([echo]);
    server.addRoutes([{ ...echo, handle: async () => ({ status: 204 }) }]);
    const response = await post(`${url}/disconnect`, '{}');
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  it.each([
    ['a body that is no JSON', '{', {}, '400 invalid_json'],
    ['an empty body', '', {}, '400 empty_body'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, '400 invalid_utf8'],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, '415 unsupported_media_type'],
    ['plain text', '{}', { 'content-type': 'text/plain' }, '415 unsupported_media_type'],
    ['latin1', '{}', { 'content-type': 'application/json; charset=latin1' }, '415 unsupported_media_type'],
    ['a large body', JSON.stringify('x'.repeat(16_384)), {}, '413 payload_too_large'],
  ])('refuse %s', async (_what, body, headers, expected) => {
    const { url } = await listen([echo]);
    expect(await codeOf(await post(`${url}/disconnect`, body, headers))).toBe(expected);
  });

  it('refuse a large body that comes without a length', async () => {
    const { url } = await listen([echo]);
    const pieces = new ReadableStream({
      start(controller) {
        for (let piece = 0; piece < 20; piece += 1) {
          controller.enqueue(new TextEncoder().encode('x'.repeat(1024)));
        }
        controller.close();
      },
    });
    expect(await codeOf(await post(`${url}/disconnect`, pieces))).toBe('413 payload_too_large');
  });

  it('answer 404 and 405 with Allow', async () => {
    const { url } = await listen([
      echo,
      { ...echo, method: 'GET', path: '/both' },
      { ...echo, path: '/both' },
    ]);
    expect(await codeOf(await fetch(`${url}/nothing`))).toBe('404 not_found');
    const wrong = await fetch(`${url}/disconnect`);
    expect(wrong.headers.get('allow')).toBe('POST');
    expect(await codeOf(wrong)).toBe('405 method_not_allowed');
    expect((await fetch(`${url}/both`, { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('may throw problems; other errors are logged and hidden', async () => {
    const { url } = await listen([
      failing('/problem', problem('unavailable')),
      failing('/error', new Error('inside')),
    ]);
    const unavailable = await fetch(`${url}/problem`);
    expect(unavailable.headers.get('retry-after')).toBe('1');
    expect(await codeOf(unavailable)).toBe('503 unavailable');
    stream.read();
    const response = await fetch(`${url}/error`, { headers: { 'x-request-id': 'find-me' } });
    const text = await response.text();
    expect([response.status, text.includes('inside')]).toEqual([500, false]);
    expect(String(stream.read())).toMatch(/find-me.*inside/);
  });
});

it.each([
  ['what is not HTTP', 'GARBAGE\r\n\r\n', 'HTTP/1.1 400 '],
  ['too large headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431 '],
])('answers %s with problem+json', async (_what, bytes, status) => {
  const { server } = await listen([]);
  const socket = connect(server.port, '127.0.0.1');
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
  }
  expect(text.startsWith(status)).toBe(true);
  expect(text).toContain('application/problem+json');
});

it('rejects when its port is taken', async () => {
  const { server } = await listen([]);
  await expect(
    AdminServer.listen({ port: server.port, host: '127.0.0.1', routes: [], log }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE', port: server.port });
});

it('closes though a client holds its connection, and one never gets its answer', async () => {
  const { server, url } = await listen([
    { method: 'GET', path: '/hang', handle: () => new Promise(() => undefined) },
    ...healthRoutes(async () => ({ ready: true, missing: {}, degraded: {} }), createMetrics('test')),
  ]);
  await fetch(`${url}/livez`);
  const hanging = fetch(`${url}/hang`).catch((error: unknown) => error);
  await fetch(`${url}/livez`);
  await server.close();
  expect(String(await hanging)).toContain('fetch failed');
});

async function rawAnswer(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(bytes);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
  }
  return text;
}

it.each([
  ['no Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', '400 malformed_request'],
  [
    'two Hosts',
    'GET /livez HTTP/1.1\r\nConnection: close\r\nHost: a\r\nHost: b\r\n\r\n',
    '400 malformed_request',
  ],
  [
    'a Host that is none',
    'GET /livez HTTP/1.1\r\nConnection: close\r\nHost: a b\r\n\r\n',
    '400 malformed_request',
  ],
  ['a tunnel', 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', '405 method_not_allowed'],
])('§2.4: answers %s with a problem', async (_what, bytes, answer) => {
  const { server } = await health(async () => ({ ready: true, missing: {}, degraded: {} }));
  const text = await rawAnswer(server.port, bytes);
  const [status, code] = answer.split(' ');
  expect(text).toContain(`HTTP/1.1 ${status} `);
  expect(text).toContain('Content-Type: application/problem+json');
  expect(text).toMatch(/^X-Request-Id: ./m);
  expect(text).toContain(`"code":"${code}"`);
});

it('§2.4: ignores an expectation that is none of its own, and answers a request before the tunnel behind it', async () => {
  const { server } = await health(async () => ({ ready: true, missing: {}, degraded: {} }));
  const text = await rawAnswer(
    server.port,
    'GET /livez HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\n\r\nCONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '200', '405']);
});
