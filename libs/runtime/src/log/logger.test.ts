import { Writable } from 'node:stream';
import { createLogger, type Logger } from './logger';

interface Line {
  readonly [field: string]: unknown;
}

function captured(level = 'debug'): { log: Logger; lines: () => Line[] } {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ service: 'send-api', level, stream });
  const lines = () => {
    const text = chunks.join('');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line): Line => JSON.parse(line));
  };
  return { log, lines };
}

function logged(fields: object): Line {
  const { log, lines } = captured();
  log.info('happened', fields);
  return lines()[0] ?? {};
}

it('writes one JSON object a line: timestamp, level, service, message, fields', () => {
  const { log, lines } = captured();
  log.info('message accepted', { recipients: 2 });
  log.child({ requestId: 'r1' }).warn('two\nlines');
  expect(Object.keys(lines()[0] ?? {})).toEqual(['timestamp', 'level', 'service', 'message', 'recipients']);
  expect(lines()[0]).toMatchObject({ level: 'info', service: 'send-api', recipients: 2 });
  expect(new Date(String(lines()[0]?.['timestamp'])).toISOString()).toBe(lines()[0]?.['timestamp']);
  expect(lines()[1]).toMatchObject({ level: 'warn', message: 'two\nlines', requestId: 'r1' });
});

it('stays silent below its level, and says so beforehand', () => {
  const { log, lines } = captured('warn');
  log.info('no');
  expect(lines()).toEqual([]);
  expect([log.isLevelEnabled('info'), log.isLevelEnabled('error')]).toEqual([false, true]);
});

it('fields cannot pose as the service or the time', () => {
  expect(logged({ service: 'other', timestamp: 'never' })).toMatchObject({ service: 'send-api' });
  expect(logged({ timestamp: 'never' })['timestamp']).not.toBe('never');
});

it('writes errors as name, message, code, stack and cause, and nothing else of them', () => {
  const error = Object.assign(new TypeError('broken', { cause: new Error('deeper') }), {
    code: 'E_BROKEN',
    detail: 'Key (id)=(private)',
  });
  const line = logged({ error });
  expect(line['error']).toEqual({
    name: 'TypeError',
    message: 'broken',
    code: 'E_BROKEN',
    stack: expect.stringContaining('TypeError: broken'),
    cause: { name: 'Error', message: 'deeper', stack: expect.any(String) },
  });
});

it.each([
  'authorization',
  'Authorization',
  'token',
  'accessToken',
  'AUTH_JWT_SECRET',
  'password',
  'set-cookie',
  'text',
  'messageText',
  'data',
  'body',
  'request_body',
])('redacts the field %s, at any depth', (name) => {
  const line = logged({ [name]: 'hunter2', inner: [{ [name]: { deep: 'hunter2' } }] });
  expect(JSON.stringify(line)).not.toContain('hunter2');
  expect(line[name]).toBe('[redacted]');
});

it.each(['context', 'database', 'metadata', 'updatedAt', 'nobody', 'bodyless'])(
  'keeps the field %s',
  (name) => {
    expect(logged({ [name]: 'value' })[name]).toBe('value');
  },
);

it('keeps numbers about what it redacts', () => {
  expect(logged({ bodyBytes: 512, maxTextChars: 8192 })).toMatchObject({
    bodyBytes: 512,
    maxTextChars: 8192,
  });
});

it('masks credentials inside any text, messages and stacks included', () => {
  const { log, lines } = captured();
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
  log.error(`cannot reach postgres://user:hunter2@db:5432/x`, {
    url: 'redis://:hunter2@redis:6379/0?password=hunter2&x=1',
    urls: ['redis+cluster://u:hunter2@h1:1,h2:2', 'rediss+sentinel://:hunter2@h1,h2/main'],
    header: `Bearer ${jwt}`,
    protocols: `posthorn.v1, posthorn.bearer.${jwt}`,
    error: new Error('rediss://u:hunter2@h refused'),
    address: new URL('https://u:hunter2@h/'),
  });
  const text = JSON.stringify(lines());
  expect(text).not.toContain('hunter2');
  expect(text).not.toContain('c2lnbmF0dXJl');
  expect(text).toContain('postgres://***@db:5432/x');
});

it('survives whatever it is given', () => {
  const circular: Record<string, unknown> = { name: 'a' };
  circular['self'] = circular;
  const getter = {
    get bad(): string {
      throw new Error('no');
    },
  };
  expect(logged({ circular })['circular']).toEqual({ name: 'a', self: '[circular]' });
  expect(logged({ getter })).toMatchObject({ message: 'happened', fieldsUnreadable: 'Error' });
  expect(
    logged({ id: 10n, at: new Date(0), bytes: Buffer.alloc(3), map: new Map([['a', 1]]) }),
  ).toMatchObject({
    id: '10',
    at: '1970-01-01T00:00:00.000Z',
    bytes: '[3 bytes]',
    map: { a: 1 },
  });
});

it('bounds a line', () => {
  const line = JSON.stringify(
    logged({ long: 'x'.repeat(1e6), many: Array.from({ length: 1e5 }, (_, n) => n) }),
  );
  expect(line.length).toBeLessThan(20_000);
});
