import { randomUUID } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Random } from '../random';
import {
  anyJson,
  BAD_UTF8,
  FIELD_NAMES,
  mutated,
  NUMBER_TEXTS,
  randomBytes,
  strangeText,
  strangeValue,
  TEXT_MARK,
  withStrangeNode,
} from './evil';
import type { BodyCase } from './fuzz-case';
import { FUZZ_USERS, type Identities, ROBOT } from './identities';

/** A request before it is turned into bytes. */
interface Draft {
  method?: string;
  target?: string;
  /** The user of its token; null: only `authorization` counts. */
  user?: string | null;
  authorization?: string;
  headers?: readonly (readonly [string, string])[];
  contentType?: string | null;
  body?: string | Buffer;
  expected: readonly number[] | null;
  /** False if the body is valid but cannot be compared with the answer. */
  isEchoed?: boolean;
  isChunked?: boolean;
}

type Make = (random: Random, identities: Identities) => Draft;

const MAX_BODY_BYTES = 262_144;
const MAX_TEXT_CHARS = 8_192;
const OK = [201];
const INVALID = [422];
const BAD = [400];
/** The possible answers to any body in a correct request. */
const ANY_BODY = [201, 400, 403, 422];

/** A request that shares its connection. */
export function makeBodyCase(number: number, random: Random, identities: Identities): BodyCase {
  const [what, make] = random.pick(random.chance(0.75) ? SENDS : OTHERS);
  const draft = make(random, identities);
  const { method = 'POST', target = '/v1/messages', body } = draft;
  const text = body === undefined || Buffer.isBuffer(body) ? null : body;
  return {
    number,
    what,
    lane: 'bodies',
    method,
    bytes: toBytes(random, identities, draft),
    expected: draft.expected,
    echo: draft.isEchoed !== false && method === 'POST' && target === '/v1/messages' ? text : null,
  };
}

function toBytes(random: Random, identities: Identities, draft: Draft): Buffer {
  const { method = 'POST', target = '/v1/messages', user = random.pick(FUZZ_USERS) } = draft;
  const authorization = draft.authorization ?? (user === null ? null : `Bearer ${identities.token(user)}`);
  const body = draft.body === undefined ? null : Buffer.from(draft.body);
  const contentType = draft.contentType === undefined ? 'application/json' : draft.contentType;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: fuzz',
    ...(authorization === null ? [] : [`Authorization: ${authorization}`]),
    ...(body === null || contentType === null ? [] : [`Content-Type: ${contentType}`]),
    ...(draft.headers ?? []).map(([name, value]) => `${name}: ${value}`),
  ];
  const isChunked = draft.isChunked === true && body !== null;
  if (isChunked) lines.push('Transfer-Encoding: chunked');
  else if (body !== null) lines.push(`Content-Length: ${body.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (body === null) return head;
  return Buffer.concat([head, ...(isChunked ? inChunks(random, body) : [body])]);
}

function inChunks(random: Random, body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = random.int(1, Math.max(1, body.length));
    const piece = body.subarray(at, at + size);
    const extension = random.pick(['', '', ';x', ';x=y', ';x="y"']);
    parts.push(Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece, Buffer.from('\r\n'));
    at += size;
  }
  parts.push(Buffer.from(random.pick(['0\r\n\r\n', '0\r\nX-Trailer: x\r\n\r\n'])));
  return parts;
}

function recipients(random: Random): string[] {
  return Array.from({ length: random.pick([1, 1, 1, 2, 3, 8]) }, () => random.pick(FUZZ_USERS));
}

function message(random: Random, more: object = {}): Record<string, unknown> {
  return { to: recipients(random), text: strangeText(random), ...more };
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** A body around fields that are already JSON text, to write what no serializer would. */
function bodyWith(random: Random, fields: string): string {
  return `{"to":${json(recipients(random))},"text":${json(strangeText(random))},${fields}}`;
}

function nested(levels: number): string {
  return `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
}

/** A value that is not a string. */
function noText(random: Random): unknown {
  const value = strangeValue(random);
  return typeof value === 'string' ? [value] : value;
}

function goodText(random: Random): string {
  return json(message(random));
}

/** Cases of `POST /v1/messages`, and the expected answers. */
const SENDS: readonly (readonly [string, Make])[] = [
  ['a good message', (r) => ({ body: goodText(r), expected: OK })],
  ['any data', (r) => ({ body: json(message(r, { data: { any: anyJson(r) } })), expected: OK })],
  ['chunked', (r) => ({ body: goodText(r), isChunked: true, expected: OK })],
  [
    'white space',
    (r) => ({ body: ` \t\r\n${JSON.stringify(message(r), null, r.int(0, 9))}\n`, expected: OK }),
  ],
  ['a byte order mark', (r) => ({ body: `\ufeff${goodText(r)}`, isEchoed: false, expected: OK })],
  ['two byte order marks', (r) => ({ body: `\ufeff\ufeff${goodText(r)}`, expected: BAD })],
  ['numbers', (r) => ({ body: bodyWith(r, `"data":{"n":[${NUMBER_TEXTS.join(',')}]}`), expected: OK })],
  [
    'numbers beyond a double',
    (r) => ({
      body: bodyWith(r, `"data":{"n":${r.pick(['1e999', '-1e309', '[1e400]'])}}`),
      expected: INVALID,
    }),
  ],
  [
    'numbers that are none',
    (r) => ({ body: bodyWith(r, `"data":{"n":${r.pick(NO_NUMBERS)}}`), expected: BAD }),
  ],
  ['a key twice', (r) => ({ body: bodyWith(r, `"to":${json(recipients(r))}`), expected: OK })],
  [
    'a key twice in data',
    (r) => ({
      body: bodyWith(r, '"data":{"a":1,"a":{"b":2},"__proto__":1,"__proto__":{"x":2}}'),
      expected: OK,
    }),
  ],
  [
    'names of prototypes in data',
    (r) => ({
      body: bodyWith(r, `"data":{${json(r.pick(FIELD_NAMES))}:${json(strangeValue(r))}}`),
      expected: OK,
    }),
  ],
  [
    'an unknown field',
    (r) => ({
      body: bodyWith(r, `${json(r.pick(FIELD_NAMES))}:${json(strangeValue(r))}`),
      expected: INVALID,
    }),
  ],
  ['to of another type', (r) => ({ body: json(message(r, { to: strangeValue(r) })), expected: INVALID })],
  [
    'a recipient of another type',
    (r) => ({ body: json(message(r, { to: [r.pick(FUZZ_USERS), noText(r)] })), expected: INVALID }),
  ],
  [
    'a recipient that no user can be',
    (r) => ({ body: json(message(r, { to: [r.pick(NO_USERS)] })), expected: INVALID }),
  ],
  [
    'recipients at the edges of the alphabet',
    (r) => ({
      body: json(message(r, { to: ['fz:a@b.c-d_e', 'F'.repeat(128), '-', '.', '__proto__'] })),
      expected: OK,
    }),
  ],
  [
    'many recipients',
    (r) => {
      // Rarely more than a few, because each costs a row.
      const count = r.chance(0.02) ? r.pick([1_000, 1_001]) : r.int(10, 40);
      const to = Array.from({ length: count }, (_, index) => `fz-many-${index}`);
      return { body: json(message(r, { to })), expected: count > 1_000 ? INVALID : OK };
    },
  ],
  [
    'text of another type',
    (r) => ({ body: json(message(r, { text: r.pick(NO_TEXTS) })), expected: INVALID }),
  ],
  ['text with U+0000', (r) => ({ body: bodyWith(r, '"text":"zq7textqz\\u0000"'), expected: INVALID })],
  [
    'a raw control character',
    (r) => ({ body: bodyWith(r, `"text":"${TEXT_MARK}${r.pick(['\0', '\n', '\x1f'])}"`), expected: BAD }),
  ],
  [
    'a lone surrogate',
    (r) => ({ body: bodyWith(r, `"text":"${r.pick(LONE_SURROGATES)}"`), expected: INVALID }),
  ],
  [
    'U+0000 or a lone surrogate in data',
    (r) => {
      const escape = r.pick(['\\u0000', ...LONE_SURROGATES]);
      const data = r.pick([`{"${escape}":1}`, `{"a":["${escape}"]}`, `{"a":{"b${escape}":{}}}`]);
      return { body: bodyWith(r, `"data":${data}`), expected: INVALID };
    },
  ],
  [
    'text at its limit',
    (r) => {
      const more = r.int(0, 1);
      const text = r.pick(['x', 'é', '😀']).repeat(MAX_TEXT_CHARS + more);
      return { body: json({ to: recipients(r), text }), expected: more === 0 ? OK : INVALID };
    },
  ],
  ['data of another type', (r) => ({ body: json(message(r, { data: r.pick(NO_DATA) })), expected: INVALID })],
  [
    'data too large',
    (r) => ({ body: json(message(r, { data: { x: 'y'.repeat(16_400) } })), expected: INVALID }),
  ],
  [
    'nesting',
    (r) => {
      const levels = r.pick([2, 30, 63, 64, 65, 66, 1_000, 7_000]);
      return { body: bodyWith(r, `"data":${nested(levels)}`), expected: levels <= 64 ? OK : INVALID };
    },
  ],
  [
    'deep nesting beside the fields',
    (r) => ({ body: bodyWith(r, `"x":${'['.repeat(100_000)}${']'.repeat(100_000)}`), expected: INVALID }),
  ],
  ['neither text nor data', (r) => ({ body: json({ to: recipients(r) }), expected: INVALID })],
  [
    'no object',
    (r) => ({ body: json(r.pick<unknown>([null, 7, 'x', [], [message(r)], true])), expected: INVALID }),
  ],
  ['not UTF-8', (r) => ({ body: withBadUtf8(r), expected: BAD })],
  ['UTF-16', (r) => ({ body: Buffer.from(goodText(r), 'utf16le'), expected: BAD })],
  ['cut off', (r) => ({ body: cut(r, goodText(r)), expected: BAD })],
  [
    'something after the end',
    (r) => ({ body: `${goodText(r)}${r.pick(['x', '}', '{}', ',', '\0'])}`, expected: BAD }),
  ],
  ['random bytes', (r) => ({ body: randomBytes(r, r.int(0, 200)), expected: [400, 422] })],
  ['mutated bytes', (r) => ({ body: mutated(r, Buffer.from(goodText(r))), expected: ANY_BODY })],
  [
    'mutated bytes of data',
    (r) => ({
      body: mutated(r, Buffer.from(json(message(r, { data: { any: anyJson(r) } })))),
      expected: ANY_BODY,
    }),
  ],
  [
    'a node replaced',
    (r) => ({
      body: json(withStrangeNode(r, message(r, { data: { any: anyJson(r) }, from: ROBOT }))),
      user: r.pick([ROBOT, 'fz-1']),
      expected: ANY_BODY,
    }),
  ],
  ['from oneself', (r) => ({ body: json(message(r, { from: 'fz-1' })), user: 'fz-1', expected: OK })],
  [
    'from somebody else',
    (r) => {
      const user = r.pick([ROBOT, 'fz-1']);
      return { body: json(message(r, { from: 'fz-2' })), user, expected: user === ROBOT ? OK : [403] };
    },
  ],
  ['from of another type', (r) => ({ body: json(message(r, { from: noText(r) })), expected: INVALID })],
  ['another media type', (r) => ({ body: goodText(r), contentType: r.pick(OTHER_TYPES), expected: [415] })],
  ['UTF-8 by other names', (r) => ({ body: goodText(r), contentType: r.pick(SAME_TYPES), expected: OK })],
  ['compressed', (r) => compressed(r, OK, (bytes) => bytes)],
  ['compressed and cut', (r) => compressed(r, BAD, (bytes) => bytes.subarray(0, r.int(1, bytes.length - 1)))],
  ['compressed, then mutated', (r) => compressed(r, null, (bytes) => mutated(r, bytes))],
  [
    'a name of a compression over garbage',
    (r) => ({
      body: randomBytes(r, r.int(1, 100)),
      headers: [['Content-Encoding', r.pick(['gzip', 'br', 'deflate', 'x-gzip'])]],
      expected: [400, 422],
    }),
  ],
  [
    'an unknown encoding',
    (r) => ({ body: goodText(r), headers: [['Content-Encoding', r.pick(NO_ENCODINGS)]], expected: [415] }),
  ],
  ['a body that grows', (r) => ({ ...bomb(r), expected: [413] })],
  [
    'a good key',
    (r) => ({
      body: goodText(r),
      headers: [['Idempotency-Key', `k-${r.int(0, 0x7fffffff)}`]],
      expected: [201, 200],
    }),
  ],
  [
    'a key that is used again and again',
    (r) => ({
      body: goodText(r),
      headers: [['Idempotency-Key', 'again']],
      user: 'fz-1',
      expected: [200, 201, 422],
    }),
  ],
  [
    'a bad key',
    (r) => ({ body: goodText(r), headers: [['Idempotency-Key', r.pick(BAD_KEYS)]], expected: BAD }),
  ],
  [
    'two keys',
    (r) => ({
      body: goodText(r),
      headers: [
        ['Idempotency-Key', 'a'],
        ['idempotency-key', 'b'],
      ],
      expected: BAD,
    }),
  ],
  [
    'a bad token',
    (r, identities) => ({
      body: goodText(r),
      authorization: `${r.pick(['Bearer ', 'bearer ', 'Bearer  '])}${identities.badToken(r)}`,
      expected: [401],
    }),
  ],
  [
    'another scheme',
    (r, identities) => ({
      body: goodText(r),
      authorization: r.pick([
        'Basic x',
        '',
        'Bearer',
        identities.token('fz-1'),
        `Token ${identities.token('fz-1')}`,
      ]),
      expected: [401],
    }),
  ],
  [
    'two tokens',
    (r, identities) => ({
      body: goodText(r),
      headers: [['Authorization', `Bearer ${identities.token('fz-1')}`]],
      expected: [401],
    }),
  ],
  ['no token', (r) => ({ body: goodText(r), user: null, expected: [401] })],
  [
    'a body beyond the limit',
    (r) => {
      const isHuge = r.chance(0.05);
      return {
        body: isHuge ? `{"x":"${'y'.repeat(MAX_BODY_BYTES)}"}` : `{"x":"${'y'.repeat(20_000)}"}`,
        expected: isHuge ? [413] : INVALID,
      };
    },
  ],
  ['headers in plenty', (r) => ({ body: goodText(r), headers: manyHeaders(r), expected: OK })],
  [
    'strange request ids',
    (r) => ({ body: goodText(r), headers: [['X-Request-Id', r.pick(REQUEST_IDS)]], expected: OK }),
  ],
];

/** Cases of everything else on the public port. */
const OTHERS: readonly (readonly [string, Make])[] = [
  ['inbox', (r) => get(`/v1/inbox?limit=${r.pick([1, 2, 5])}&after=${r.int(0, 50)}`, [200])],
  ['inbox, bad query', (r) => get(`/v1/inbox?${r.pick(BAD_INBOX_QUERIES)}`, BAD)],
  ['inbox, mutated query', (r) => get(mutatedTarget(r, '/v1/inbox?limit=3&after=7'), null)],
  ['presence', (r) => get(`/v1/presence?users=${recipients(r).join(',')}`, [200])],
  ['presence, bad query', (r) => get(`/v1/presence${r.pick(BAD_PRESENCE_QUERIES)}`, BAD)],
  ['presence, mutated query', (r) => get(mutatedTarget(r, '/v1/presence?users=fz-1,fz-2'), null)],
  ['a message that is not there', () => get(`/v1/messages/${randomUUID()}`, [404])],
  ['receipts that are not there', () => get(`/v1/messages/${randomUUID()}/receipts`, [404])],
  ['no message id', (r) => get(`/v1/messages/${r.pick(NO_IDS)}`, [400, 404])],
  ['paths', (r) => get(r.pick(STRANGE_PATHS), [400, 404])],
  ['paths, mutated', (r) => get(mutatedTarget(r, '/v1/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11'), null)],
  [
    'other methods',
    (r) => ({
      method: r.pick(['DELETE', 'PUT', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY']),
      target: r.pick(['/v1/messages', '/v1/inbox', '/v1/receipts', '/v1/presence']),
      expected: [400, 405],
    }),
  ],
  ['OPTIONS', (r) => ({ method: 'OPTIONS', target: r.pick(['/v1/messages', '/v1/inbox']), expected: [204] })],
  ['HEAD', () => ({ method: 'HEAD', target: '/v1/inbox', expected: [200] })],
  ['no token', (r) => ({ ...get(r.pick(['/v1/inbox', '/v1/presence?users=a']), [401]), user: null })],
  [
    'a bad token',
    (r, identities) => ({ ...get('/v1/inbox', [401]), authorization: `Bearer ${identities.badToken(r)}` }),
  ],
  [
    'a token in the query',
    (_, identities) => ({ ...get(`/v1/inbox?access_token=${identities.token('fz-1')}`, [401]), user: null }),
  ],
  ['a body on a GET', (r) => ({ ...get('/v1/inbox', [200]), body: goodText(r) })],
  ['read nothing', (r) => receipts(r.pick(NO_READS), INVALID)],
  ['read what is not there', () => receipts({ read: [randomUUID()] }, [404])],
  [
    'read, a node replaced',
    (r) => receipts(withStrangeNode(r, { read: [randomUUID(), randomUUID()] }), [404, 422]),
  ],
  [
    'read, mutated bytes',
    (r) => ({
      target: '/v1/receipts',
      body: mutated(r, Buffer.from(json({ read: [randomUUID()] }))),
      expected: [400, 404, 422],
    }),
  ],
  [
    'read, cut off',
    (r) => ({ target: '/v1/receipts', body: cut(r, json({ read: [randomUUID()] })), expected: BAD }),
  ],
  ['admin paths', (r) => get(r.pick(['/metrics', '/livez', '/readyz', '/disconnect']), [404])],
];

function get(target: string, expected: readonly number[] | null): Draft {
  return { method: 'GET', target, expected };
}

function receipts(body: unknown, expected: readonly number[]): Draft {
  return { target: '/v1/receipts', body: json(body), expected };
}

/** The target stays a single word: no white space, no control character. */
function mutatedTarget(random: Random, target: string): string {
  const text = mutated(random, Buffer.from(target))
    .toString('latin1')
    .replaceAll(/[^\x21-\x7e]/g, '%ff');
  return `/${text.replace(/^\/+/, '')}`;
}

function cut(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  return bytes.subarray(0, random.int(0, bytes.length - 1));
}

function withBadUtf8(random: Random): Buffer {
  const bytes = Buffer.from(`{"to":["fz-1"],"text":"${TEXT_MARK}#"}`);
  const at = bytes.indexOf('#');
  return Buffer.concat([bytes.subarray(0, at), random.pick(BAD_UTF8), bytes.subarray(at + 1)]);
}

const COMPRESSIONS = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync };

function compressed(
  random: Random,
  expected: readonly number[] | null,
  change: (bytes: Buffer) => Buffer,
): Draft {
  const [name, compress] = random.pick(Object.entries(COMPRESSIONS));
  const body = change(compress(Buffer.from(goodText(random))));
  // brotli may read a cut stream as complete, because its last bits can carry nothing.
  const statuses = expected === BAD && name === 'br' ? [400, 201] : expected;
  return { body, headers: [['Content-Encoding', name]], expected: statuses };
}

const BOMBS = new Map<string, Buffer>();

/** Made once, because only the decompression is tested. */
function bomb(random: Random): Omit<Draft, 'expected'> {
  const name = random.pick(['gzip', 'br']);
  const known = BOMBS.get(name);
  const plain = known === undefined ? Buffer.alloc(8 * MAX_BODY_BYTES, ' ') : null;
  const body = known ?? (name === 'gzip' ? gzipSync(plain ?? '') : brotliCompressSync(plain ?? ''));
  BOMBS.set(name, body);
  return { body, headers: [['Content-Encoding', name]] };
}

function manyHeaders(random: Random): (readonly [string, string])[] {
  return Array.from({ length: random.int(1, 300) }, (_, index) => [
    `X-${index}`,
    'y'.repeat(random.int(0, 20)),
  ]);
}

const NO_NUMBERS = ['01', '+1', '.5', '1.', '0x10', 'NaN', 'Infinity', '1e', '--1', '1_000', "'1'"];
const NO_USERS = [
  '',
  ' ',
  'a b',
  'a\nb',
  '*',
  '{fz-1}',
  'a/b',
  'é',
  'x'.repeat(129),
  'fz-1\r',
  'ｆz',
  '\u0000',
];
const NO_TEXTS = ['', 7, true, [], {}, ['x'], { length: 3 }];
const NO_DATA = [null, 7, 'x', [], [{}], true];
const LONE_SURROGATES = ['\\ud800', '\\udc00', 'a\\ud83d', '\\ude00\\ud83d', '\\uD800x\\uDC00'];
const OTHER_TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=latin1',
  'application/json; charset=utf-16',
  'application/json; charset=bogus',
  'application/json;charset=utf-8;charset=utf-16',
  'application/jsonx',
  'application/json/x',
  'json',
  '*/*',
  '',
  ';',
];
const SAME_TYPES = [
  'application/json; charset=utf-8',
  'Application/JSON;CHARSET="UTF-8"',
  'application/json ;charset=utf8',
  'application/json;',
  'application/json; x=y',
];
const NO_ENCODINGS = ['zstd', 'compress', 'gzip, gzip', 'gzip;q=1', 'chunked', '*', 'utf-8', '__proto__'];
const BAD_KEYS = ['', 'a b', 'x'.repeat(256), '\xe9', 'a\tb', 'a, b'];
const REQUEST_IDS = ['', 'a b', 'x'.repeat(129), '\xff', '"', '<script>', '../../x', '%0d%0a', 'good-one'];
const BAD_INBOX_QUERIES = [
  'limit=0',
  'limit=501',
  'limit=-1',
  'limit=1e3',
  'limit=',
  'limit=1&limit=2',
  'after=-1',
  'after=abc',
  'after=9007199254740992',
  'after=1.5',
  'x=1',
  'limit[]=1',
  '__proto__=1',
  'after=%00',
  'Limit=1',
  '=1',
];
const BAD_PRESENCE_QUERIES = [
  '',
  '?users=',
  '?users=a,,b',
  '?users=a b',
  '?users=%ff',
  '?users=a&users=b',
  '?user=a',
  '?users=*',
];
const NO_IDS = ['1', 'x', '%00', '..%2f', "'", '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d1', '%ff', '%e2%80%ae'];
const STRANGE_PATHS = [
  '/',
  '//',
  '/v1',
  '/v1/',
  '/v1/messages/',
  '/V1/messages',
  '/v1//messages',
  '/v1/inbox/',
  '/%ff%zz',
  '/%',
  '/..%2f..%2fetc%2fpasswd',
  '/../../etc/passwd',
  '/docs/../../../etc/passwd',
  '/docs/%2e%2e%2f%2e%2e%2fpackage.json',
  '/docs/%00',
  '/docs/%ff',
  '/.env',
  `/${'a'.repeat(8_000)}`,
  '/v1/messages/%zz/receipts',
  '/__proto__',
  '/v1/messages;x=1',
  '/openapi.json/',
];
const NO_READS = [
  {},
  { read: [] },
  { read: 'x' },
  { read: [7] },
  { read: ['x'] },
  { read: null },
  { read: [[]] },
  { ids: [] },
  [],
];
