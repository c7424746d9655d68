import { loadSendApiSettings } from '@posthorn/runtime';
import { createServiceContext, TEST_SECRET } from '@posthorn/testing';
import request from 'supertest';
import { type AppOptions, createApp, createRouter } from '../http/app';
import { createEndpoints } from '../http/endpoints';
import { defineSendMessage } from '../messages/send-message.dto';
import { createSendApiMetrics } from '../metrics';
import { dtoValidator } from '../validation/validate-dto';
import { buildOpenApi, type OpenApiDocument } from './openapi';
import { createReferencePage } from './page';

const limits = { maxRecipients: 7, maxTextChars: 99, maxDataBytes: 55, maxBodyBytes: 4_321 };
const SendMessage = defineSendMessage(limits);
const openApi: OpenApiDocument = buildOpenApi({ SendMessage, limits });
const unused = (): never => {
  throw new Error('no request of these tests gets here');
};

const appOptions: AppOptions = (() => {
  const { log, metrics } = createServiceContext(
    'send-api',
    loadSendApiSettings({
      DATABASE_URL: 'postgres://x/x',
      REDIS_URL: 'redis://x',
      AUTH_JWT_SECRET: TEST_SECRET,
    }),
  );
  const sendApiMetrics = createSendApiMetrics(metrics);
  return {
    endpoints: createEndpoints({
      authenticate: unused,
      limiter: null,
      validate: dtoValidator(SendMessage),
      commit: unused,
      findMessage: unused,
      findReceipts: unused,
      reportDelivery: unused,
      recordRead: unused,
      publishReceipts: unused,
      readPage: unused,
      findOnline: unused,
      findLastSeen: unused,
      openApi,
      maxBodyBytes: limits.maxBodyBytes,
      tracing: null,
      metrics: sendApiMetrics,
    }),
    referencePage: createReferencePage(),
    allowedOrigins: [],
    metrics: sendApiMetrics,
    log,
  };
})();
const app = createApp(appOptions);

test('§4.9: every route of the app is in the document, and every path of the document is a route', () => {
  const routes = createRouter(appOptions).stack.flatMap(({ route }) =>
    (route?.stack ?? [])
      .map(({ method }) => method)
      .filter((method) => method === 'get' || method === 'post')
      .map((method) => `${method} ${route?.path.replaceAll(/:(\w+)/g, '{$1}')}`),
  );
  const documented = Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(documented.sort()).toEqual(routes.sort());
  expect(documented).toHaveLength(9);
});

test('§4.9: the document is OpenAPI 3.1 and served as it is', async () => {
  const response = await request(app).get('/openapi.json');
  expect(response.status).toBe(200);
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.body).toEqual(JSON.parse(JSON.stringify(openApi)));
  expect(response.body.openapi).toBe('3.1.0');
});

test('§4.9: the schema of a send comes from the DTO that validates it, with the limits in force', () => {
  const schemas = openApi.components['schemas'];
  expect(schemas).toMatchObject({
    SendMessage: {
      type: 'object',
      required: ['to'],
      additionalProperties: false,
      properties: {
        to: { type: 'array', minItems: 1, maxItems: 70, items: { $ref: '#/components/schemas/UserId' } },
        from: { $ref: '#/components/schemas/UserId' },
        text: { type: 'string', minLength: 1, maxLength: 99 },
        data: { type: 'object' },
      },
    },
    ReadReceipts: {
      type: 'object',
      required: ['read'],
      additionalProperties: false,
      properties: { read: { type: 'array', minItems: 1, maxItems: 100 } },
    },
  });
});

test('§4.9: every reference of the document leads somewhere', () => {
  const text = JSON.stringify(openApi);
  const targets = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  expect(targets.length).toBeGreaterThan(10);
  for (const target of new Set(targets)) {
    const found = target.split('/').reduce<unknown>((node, step) => Reflect.get(Object(node), step), openApi);
    expect([target, typeof found]).toEqual([target, 'object']);
  }
});

test('§4.9: every status that the contract names for a send is documented, errors as problem+json', () => {
  const responses = Reflect.get(Object(openApi.paths['/v1/messages']?.['post']), 'responses');
  expect(new Set(Object.keys(responses).map(Number))).toEqual(
    new Set([200, 201, 400, 401, 403, 405, 408, 413, 415, 422, 429, 431, 500, 503]),
  );
  for (const [status, response] of Object.entries(responses)) {
    const type = Number(status) < 400 ? 'application/json' : 'application/problem+json';
    expect(response).toMatchObject({ content: { [type]: {} }, headers: { 'X-Request-Id': {} } });
  }
});

test('§4.9: GET /docs is a page under a strict policy, all of whose files come from here', async () => {
  const page = await request(app).get('/docs');
  expect(page.status).toBe(200);
  expect(page.headers['content-type']).toMatch(/^text\/html/);
  expect(page.headers['x-request-id']).toBeDefined();
  const policy = page.headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(page.text).not.toMatch(/<script>[^<]/);

  const links = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThanOrEqual(5);
  for (const link of links) {
    const { pathname, origin } = new URL(link, 'http://here/docs');
    expect(origin).toBe('http://here');
    const file = await request(app).get(pathname);
    expect([pathname, file.status]).toEqual([pathname, 200]);
  }
  const init = await request(app).get('/docs/swagger-ui-init.js');
  expect(init.text).toContain('"swaggerUrl": "openapi.json"');
});

test('§4.9: /docs/ leads to /docs, and what is not there is a problem like any other', async () => {
  const redirect = await request(app).get('/docs/');
  expect(redirect.status).toBe(308);
  expect(new URL(redirect.headers['location'] ?? '', 'http://here/docs/').pathname).toBe('/docs');
  for (const path of ['/docs/nope', '/docs/package.json', '/docs/..%2f..%2fpackage.json', '/docsx']) {
    const response = await request(app).get(path);
    expect([path, response.status]).toEqual([path, 404]);
    expect(response.headers['content-type']).toBe('application/problem+json');
  }
});
