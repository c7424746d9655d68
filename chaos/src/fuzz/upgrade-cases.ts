import type { Random } from '../random';
import { mutated, randomBytes } from './evil';
import type { RawCase } from './fuzz-case';
import type { Identities } from './identities';
import { clientFrame, OPCODE } from './wire';

interface Draft {
  method?: string;
  target?: string;
  version?: string;
  /** Replaces valid headers; null removes one. */
  headers?: Readonly<Record<string, string | null>>;
  /** More lines, for example a repeated header. */
  lines?: readonly string[];
  /** Bytes after the head. */
  after?: Buffer;
  change?: (bytes: Buffer) => Buffer;
  expected: readonly number[] | null;
  ending?: RawCase['ending'];
}

type Make = (random: Random, token: string, identities: Identities) => Draft;

const BAD = [400];
const OPENED = [101];

/** An upgrade request on a connection of its own. */
export function makeUpgradeCase(number: number, random: Random, identities: Identities): RawCase {
  const user = `fu-${random.int(0, 999)}`;
  const token = identities.token(user);
  const [what, make] = random.pick(CASES);
  const draft = make(random, token, identities);
  const { method = 'GET', target = `/v1/connect?device=d${random.int(0, 9)}`, version = 'HTTP/1.1' } = draft;
  const headers: Record<string, string | null> = {
    Host: 'fuzz',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(random, 16).toString('base64'),
    Authorization: `Bearer ${token}`,
    ...draft.headers,
  };
  const lines = [
    `${method} ${target} ${version}`,
    ...Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`])),
    ...(draft.lines ?? []),
  ];
  const whole = Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    draft.after ?? Buffer.alloc(0),
  ]);
  const ending = draft.ending ?? 'wait';
  return {
    number,
    what,
    lane: 'upgrade',
    writes: [draft.change?.(whole) ?? whole],
    answers: ending === 'wait' ? [method] : [],
    expected: draft.expected,
    ending,
    mayStore: false,
    user,
  };
}

const CASES: readonly (readonly [string, Make])[] = [
  ['a good upgrade', () => ({ expected: OPENED })],
  ['a good upgrade of a browser', (_, token) => ({ headers: browser(token), expected: OPENED })],
  ['positions', (r) => ({ target: `/v1/connect?device=d&${r.pick(GOOD_QUERIES)}`, expected: OPENED })],
  ['a bad query', (r) => ({ target: `/v1/connect?${r.pick(BAD_QUERIES)}`, expected: BAD })],
  ['a mutated query', (r) => ({ target: mutatedTarget(r), expected: [101, 400, 404] })],
  ['a bad key', (r) => ({ headers: { 'Sec-WebSocket-Key': r.pick(BAD_KEYS) }, expected: BAD })],
  ['no key', () => ({ headers: { 'Sec-WebSocket-Key': null }, expected: BAD })],
  ['another version', (r) => ({ headers: { 'Sec-WebSocket-Version': r.pick(VERSIONS) }, expected: [426] })],
  [
    'an upgrade to something else',
    (r) => ({ headers: { Upgrade: r.pick(['h2c', 'websocketx', 'TLS/1.0']) }, expected: [426] }),
  ],
  ['no upgrade', () => ({ headers: { Upgrade: null, Connection: null }, expected: [426] })],
  [
    'a Connection without it',
    (r) => ({ headers: { Connection: r.pick(['close', 'keep-alive', 'upgradex']) }, expected: [426] }),
  ],
  [
    'another method',
    (r) => ({ method: r.pick(['POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS']), expected: [405] }),
  ],
  ['CONNECT', () => ({ method: 'CONNECT', target: 'evil:443', expected: [400, 404, 405] })],
  ['another path', (r) => ({ target: r.pick(PATHS), expected: [400, 404] })],
  ['no Host', () => ({ headers: { Host: null }, expected: BAD })],
  ['two Hosts', () => ({ lines: ['host: evil'], expected: BAD })],
  ['HTTP/1.0', () => ({ version: 'HTTP/1.0', expected: [101, 400, 426] })],
  ['another HTTP', (r) => ({ version: r.pick(['HTTP/2.0', 'HTTP/1.1x', 'HTTP/', 'x']), expected: BAD })],
  [
    'subprotocols that are none',
    (r) => ({ headers: { 'Sec-WebSocket-Protocol': r.pick(BAD_SUBPROTOCOLS) }, expected: BAD }),
  ],
  [
    'other subprotocols beside ours',
    () => ({ headers: { 'Sec-WebSocket-Protocol': 'x, posthorn.v1, y' }, expected: OPENED }),
  ],
  [
    'extensions',
    (r) => ({ headers: { 'Sec-WebSocket-Extensions': r.pick(EXTENSIONS) }, expected: [101, 400] }),
  ],
  [
    'an Origin',
    (r) => ({ headers: { Origin: r.pick(['null', 'https://evil.example', '', '\xff']) }, expected: [403] }),
  ],
  ['no token', () => ({ headers: { Authorization: null }, expected: [401] })],
  [
    'a bad token',
    (r, _, ids) => ({ headers: { Authorization: `Bearer ${ids.badToken(r)}` }, expected: [401] }),
  ],
  [
    'a bad token of a browser',
    (r, _, ids) => ({ headers: browser(tokenChars(ids.badToken(r))), expected: [400, 401] }),
  ],
  ['two tokens', (_, token) => ({ lines: [`authorization: Bearer ${token}`], expected: [401] })],
  [
    'two bearers',
    (_, token) => ({
      headers: {
        Authorization: null,
        'Sec-WebSocket-Protocol': `posthorn.v1, posthorn.bearer.${token}, posthorn.bearer.x`,
      },
      expected: [401],
    }),
  ],
  [
    'a token in the query',
    (_, token) => ({
      target: `/v1/connect?token=${token}`,
      headers: { Authorization: null },
      expected: [401],
    }),
  ],
  ['headers too large', (r) => ({ headers: { 'X-A': 'x'.repeat(r.int(17_000, 40_000)) }, expected: [431] })],
  ['many headers', () => ({ lines: Array.from({ length: 2_500 }, () => 'a:'), expected: [101, 400, 431] })],
  [
    'a header that is none',
    (r) => ({ lines: [r.pick(['X', ': y', 'X : y', 'X: a\0b', ' folded'])], expected: BAD }),
  ],
  ['an expectation', (r) => ({ headers: { Expect: r.pick(['100-continue', 'x']) }, expected: OPENED })],
  [
    'an expectation without an upgrade',
    (r) => ({
      headers: { Upgrade: null, Connection: null, Expect: r.pick(['100-continue', 'x']) },
      expected: [426],
    }),
  ],
  ['a body', () => ({ headers: { 'Content-Length': '5' }, after: Buffer.from('hello'), expected: null })],
  [
    'a body without an upgrade',
    () => ({
      headers: { Upgrade: null, Connection: null, 'Content-Length': '5' },
      after: Buffer.from('hello'),
      expected: [426],
    }),
  ],
  [
    'both lengths',
    () => ({
      headers: { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' },
      after: Buffer.from('0\r\n\r\n'),
      expected: BAD,
    }),
  ],
  [
    'frames that come early',
    (r) => ({ after: clientFrame(r, OPCODE.text, '{"type":"ping","ref":1}'), expected: OPENED }),
  ],
  ['garbage that comes early', (r) => ({ after: randomBytes(r, r.int(1, 60)), expected: OPENED })],
  [
    'mutated',
    (r) => ({ change: (bytes) => mutated(r, bytes), expected: null, ending: r.pick(['reset', 'fin']) }),
  ],
  ['random bytes', (r) => ({ change: () => randomBytes(r, r.int(1, 200)), expected: null, ending: 'reset' })],
  [
    'half of it, reset',
    (r) => ({
      change: (bytes) => bytes.subarray(0, r.int(0, bytes.length - 1)),
      expected: null,
      ending: 'reset',
    }),
  ],
  [
    'half of it, closed',
    (r) => ({
      change: (bytes) => bytes.subarray(0, r.int(0, bytes.length - 1)),
      expected: null,
      ending: 'fin',
    }),
  ],
  ['all of it, reset', () => ({ expected: null, ending: 'reset' })],
  ['all of it, closed', () => ({ expected: null, ending: 'fin' })],
  [
    'all of it of a browser, reset',
    (_, token) => ({ headers: browser(token), expected: null, ending: 'reset' }),
  ],
];

function browser(token: string): Record<string, string | null> {
  return { Authorization: null, 'Sec-WebSocket-Protocol': `posthorn.v1, posthorn.bearer.${token}` };
}

/** Keeps the characters that a header's list may contain. */
function tokenChars(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]|,/g, '');
}

function mutatedTarget(random: Random): string {
  const text = mutated(random, Buffer.from('device=d&after=3&epoch=x&ack=auto')).toString('latin1');
  return `/v1/connect?${text.replaceAll(/[^\x21-\x7e]/g, '%ff')}`;
}

const GOOD_QUERIES = [
  'after=0',
  'after=999999999',
  'after=9007199254740991',
  'epoch=x',
  'after=1&epoch=other',
  'ack=auto',
  'ack=manual',
];
const BAD_QUERIES = [
  'device=',
  'device=a%20b',
  'device=*',
  'device=%00',
  'device=%ff',
  `device=${'x'.repeat(65)}`,
  'device=a&device=b',
  'after=-1',
  'after=1.5',
  'after=',
  'after=9007199254740992',
  'after=0x1',
  'after=%F9',
  'ack=',
  'ack=AUTO',
  'epoch=',
  `epoch=${'x'.repeat(65)}`,
  'x=1',
  '__proto__=1',
  'Device=a',
  'after=1&after=1',
];
const BAD_KEYS = [
  '',
  'x',
  'dGhlIHNhbXBsZSBub25jZQ',
  'dGhlIHNhbXBsZSBub25jZQ===',
  `${'A'.repeat(23)}=`,
  '!'.repeat(24),
  'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==',
  '\xff'.repeat(24),
];
const VERSIONS = ['', '12', '8', '013', '13, 8', '13.0', 'x', '-13', '\xb9'];
const PATHS = [
  '/',
  '/v1',
  '/v1/connect/',
  '/v1/connectx',
  '/V1/connect',
  '//v1/connect',
  '/v1/messages',
  '/%2e%2e/v1/connec',
  '*',
  'http://evil/v1/connect',
  '?',
  '/v1/%63onnec',
  '/\\',
  '/%ff',
];
const BAD_SUBPROTOCOLS = [
  'x',
  'x, y',
  'posthorn.v2',
  'posthorn.v1, posthorn.v1',
  'posthorn.v1,,',
  ',',
  '',
  'posthorn.v1 posthorn.v1',
  'posthorn.v1;x',
  '"posthorn.v1"',
  'POSTHORN.V1',
  '\xff',
];
const EXTENSIONS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'x; y=z',
  ';',
  ',,',
  '"',
  'permessage-deflate; x=',
  'a'.repeat(5_000),
];
