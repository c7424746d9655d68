import type { Random } from '../random';
import { mutated, randomBytes, TEXT_MARK } from './evil';
import type { RawCase } from './fuzz-case';
import { FUZZ_USERS, type Identities } from './identities';

interface Draft {
  /** Written in one piece, or in several if it is a list. */
  bytes: string | readonly string[] | Buffer;
  answers?: readonly string[];
  expected: readonly number[] | null;
  ending?: RawCase['ending'];
  mayStore?: boolean;
}

/** What a case can use: headers with a valid token, and a valid body. */
interface Parts {
  random: Random;
  /** Ends with a line break. */
  head: string;
  body: string;
  /** A complete valid send. */
  send: string;
}

const BAD = [400];
const TOO_LARGE = [431];

/** HTTP, or something similar, on a connection of its own. */
export function makeRawCase(number: number, random: Random, identities: Identities): RawCase {
  const head = `Host: fuzz\r\nAuthorization: Bearer ${identities.token(random.pick(FUZZ_USERS))}\r\n`;
  const body = JSON.stringify({ to: [random.pick(FUZZ_USERS)], text: `${TEXT_MARK}${random.int(0, 1e9)}` });
  const send = `POST /v1/messages HTTP/1.1\r\n${head}${typed(body)}`;
  const [what, make] = random.pick(CASES);
  const draft = make({ random, head, body, send });
  const { bytes, answers = ['GET'], expected, ending = 'wait', mayStore = false } = draft;
  const pieces = typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes;
  return {
    number,
    what,
    lane: 'raw',
    writes: pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)),
    answers: ending === 'wait' ? answers : [],
    expected,
    ending,
    mayStore,
  };
}

/** The rest of a request: type, length, body. */
function typed(body: string): string {
  return `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function post(head: string, rest: string): string {
  return `POST /v1/messages HTTP/1.1\r\n${head}Content-Type: application/json\r\n${rest}`;
}

function cutText({ random }: Parts, text: string): string {
  return text.slice(0, random.int(1, text.length - 1));
}

const CASES: readonly (readonly [string, (parts: Parts) => Draft])[] = [
  ['a good send', ({ send }) => ({ bytes: send, expected: [201] })],
  ['a good send in pieces', (p) => ({ bytes: inPieces(p.random, p.send), expected: [201] })],
  [
    'both lengths',
    ({ head, body }) => ({
      bytes: post(head, `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`),
      expected: BAD,
    }),
  ],
  [
    'both lengths, the other way',
    ({ head }) => ({
      bytes: post(
        head,
        'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
      ),
      expected: BAD,
    }),
  ],
  [
    'two lengths',
    ({ random, head, body }) => ({
      bytes: post(
        head,
        `Content-Length: ${body.length}\r\nContent-Length: ${body.length + random.int(0, 1)}\r\n\r\n${body}`,
      ),
      expected: BAD,
    }),
  ],
  [
    'a length that is none',
    ({ random, head, body }) => ({
      bytes: post(head, `Content-Length: ${random.pick(NO_LENGTHS)}\r\n\r\n${body}`),
      expected: BAD,
    }),
  ],
  [
    'a length beyond the limit',
    ({ head }) => ({ bytes: post(head, 'Content-Length: 999999999\r\n\r\n{'), expected: [413] }),
  ],
  [
    'transfer codings',
    ({ random, head, body }) => ({
      bytes: post(head, `Transfer-Encoding: ${random.pick(CODINGS)}\r\n\r\n${chunk(body)}`),
      expected: null,
      mayStore: true,
    }),
  ],
  [
    'an empty transfer coding',
    ({ head, body }) => ({ bytes: post(head, `Transfer-Encoding: \r\n\r\n${chunk(body)}`), expected: BAD }),
  ],
  [
    'two transfer codings',
    ({ head, body }) => ({
      bytes: post(head, `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunk(body)}`),
      expected: BAD,
    }),
  ],
  [
    'chunk sizes',
    ({ random, head, body }) => ({
      bytes: post(
        head,
        `Transfer-Encoding: chunked\r\n\r\n${random.pick(CHUNK_SIZES)}\r\n${body}\r\n0\r\n\r\n`,
      ),
      expected: BAD,
    }),
  ],
  [
    'a chunk longer than its size',
    ({ head, body }) => ({
      bytes: post(head, `Transfer-Encoding: chunked\r\n\r\n3\r\n${body}\r\n0\r\n\r\n`),
      expected: BAD,
    }),
  ],
  [
    'long chunk extensions',
    ({ head, body }) => ({
      bytes: post(
        head,
        `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)};${'x'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`,
      ),
      expected: [400, 413],
    }),
  ],
  [
    'trailers',
    ({ random, head, body }) => ({
      bytes: post(
        head,
        `Transfer-Encoding: chunked\r\n\r\n${chunk(body).slice(0, -2)}${random.pick(TRAILERS)}\r\n`,
      ),
      expected: null,
      mayStore: true,
    }),
  ],
  [
    'chunks beyond the limit',
    ({ random, head }) => ({
      bytes: post(
        head,
        `Transfer-Encoding: chunked\r\n\r\n${chunk('x'.repeat(random.chance(0.1) ? 300_000 : 3_000))}`,
      ),
      expected: [400, 413],
    }),
  ],
  ['bare line feeds', ({ send }) => ({ bytes: send.replaceAll('\r\n', '\n'), expected: BAD })],
  ['bare carriage returns', ({ send }) => ({ bytes: send.replaceAll('\r\n', '\r'), expected: BAD })],
  [
    'one bare line feed',
    ({ head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}X-A: b\n${typed(body)}`,
      expected: BAD,
    }),
  ],
  [
    'a folded header',
    ({ head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}X-A: b\r\n c\r\n${typed(body)}`,
      expected: BAD,
    }),
  ],
  [
    'a space before the colon',
    ({ head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}X-A : b\r\n${typed(body)}`,
      expected: BAD,
    }),
  ],
  [
    'a space before the first header',
    ({ head, body }) => ({ bytes: `POST /v1/messages HTTP/1.1\r\n ${head}${typed(body)}`, expected: BAD }),
  ],
  [
    'control characters in a header',
    ({ random, head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}X-A: a${random.pick(['\0', '\r', '\x01', '\x7f'])}b\r\n${typed(body)}`,
      expected: BAD,
    }),
  ],
  [
    'a header without a name',
    ({ head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}: b\r\n${typed(body)}`,
      expected: BAD,
    }),
  ],
  [
    'a header without a colon',
    ({ head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}X-A\r\n${typed(body)}`,
      expected: BAD,
    }),
  ],
  ['no Host', ({ send }) => ({ bytes: send.replace('Host: fuzz\r\n', ''), expected: BAD })],
  [
    'two Hosts',
    ({ send }) => ({ bytes: send.replace('Host: fuzz', 'Host: fuzz\r\nhost: evil'), expected: BAD }),
  ],
  [
    'strange Hosts',
    ({ random, send }) => ({
      bytes: send.replace('Host: fuzz', `Host: ${random.pick(HOSTS)}`),
      expected: [201, 400],
      mayStore: true,
    }),
  ],
  [
    'headers too large',
    ({ random, head }) => ({
      bytes: `GET /v1/inbox HTTP/1.1\r\n${head}X-A: ${'x'.repeat(random.int(17_000, 40_000))}\r\n\r\n`,
      expected: TOO_LARGE,
    }),
  ],
  [
    'a target too long',
    ({ random, head }) => ({
      bytes: `GET /${'x'.repeat(random.int(17_000, 40_000))} HTTP/1.1\r\n${head}\r\n`,
      expected: TOO_LARGE,
    }),
  ],
  [
    'too many headers',
    ({ head }) => ({
      bytes: `GET /v1/inbox HTTP/1.1\r\n${head}${'a: \r\n'.repeat(3_500)}\r\n`,
      expected: TOO_LARGE,
    }),
  ],
  [
    'an unknown method',
    ({ random, send }) => ({ bytes: send.replace('POST', random.pick(NO_METHODS)), expected: BAD }),
  ],
  [
    'versions',
    ({ random, send }) => ({ bytes: send.replace('HTTP/1.1', random.pick(NO_VERSIONS)), expected: BAD }),
  ],
  ['HTTP/1.0', ({ send }) => ({ bytes: send.replace('HTTP/1.1', 'HTTP/1.0'), expected: [201] })],
  ['the preface of HTTP/2', () => ({ bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', expected: BAD })],
  [
    'a greeting of TLS',
    ({ random }) => ({
      bytes: Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1]), randomBytes(random, 100)]),
      expected: BAD,
    }),
  ],
  [
    'forms of a target',
    ({ random, head }) => ({
      bytes: `GET ${random.pick(TARGETS)} HTTP/1.1\r\n${head}\r\n`,
      expected: [200, 400, 404],
    }),
  ],
  [
    'CONNECT',
    ({ head }) => ({
      bytes: `CONNECT evil:443 HTTP/1.1\r\n${head}\r\n`,
      answers: ['CONNECT'],
      expected: [400, 405],
    }),
  ],
  [
    'an upgrade where there is none',
    ({ head }) => ({
      bytes: `GET /v1/inbox HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      expected: [200, 400, 426],
    }),
  ],
  [
    'Expect: 100-continue',
    ({ head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}Expect: 100-continue\r\n${typed(body)}`,
      expected: [201],
    }),
  ],
  [
    'other expectations',
    ({ random, head, body }) => ({
      bytes: `POST /v1/messages HTTP/1.1\r\n${head}Expect: ${random.pick(['x', '', '200-ok', '100-continue, x'])}\r\n${typed(body)}`,
      expected: null,
      mayStore: true,
    }),
  ],
  [
    'hop-by-hop headers',
    ({ random, send }) => ({
      bytes: send.replace(
        'Host: fuzz',
        `Host: fuzz\r\nConnection: ${random.pick(['close', 'Authorization', 'Host, Content-Length', 'x'.repeat(500)])}`,
      ),
      expected: [201],
    }),
  ],
  ['pipelined', (p) => pipelined(p, p.random.int(2, 30))],
  [
    'pipelined beyond the limit',
    ({ random, head }) => ({
      bytes: `GET /v1/inbox?limit=1 HTTP/1.1\r\n${head}\r\n`.repeat(random.int(101, 200)),
      answers: [],
      expected: null,
      ending: 'reset',
    }),
  ],
  [
    // A tunnel that waits for earlier answers has no owner in Node yet, so our code must handle everything that
    // happens to it.
    'a tunnel or an upgrade behind requests, cut',
    ({ random, head, send }) => ({
      bytes: [
        `${send}${`GET /v1/inbox?limit=1 HTTP/1.1\r\n${head}\r\n`.repeat(random.int(0, 5))}`,
        random.pick([`CONNECT evil:443 HTTP/1.1\r\n${head}\r\n`, upgradeOf(head)]),
      ],
      expected: null,
      ending: random.pick(['reset', 'fin']),
      mayStore: true,
    }),
  ],
  [
    'a tunnel or an upgrade, cut',
    ({ random, head }) => ({
      bytes: random.pick([`CONNECT evil:443 HTTP/1.1\r\n${head}\r\n`, upgradeOf(head)]),
      expected: null,
      ending: random.pick(['reset', 'fin']),
    }),
  ],
  [
    'garbage after a request',
    ({ send }) => ({
      bytes: `${send}\0garbage\r\n\r\n`,
      answers: ['POST', 'GET'],
      expected: [201, 400],
      mayStore: true,
    }),
  ],
  [
    'random bytes',
    ({ random }) => ({ bytes: randomBytes(random, random.int(1, 300)), expected: null, ending: 'reset' }),
  ],
  [
    'a mutated request',
    ({ random, send }) => ({
      bytes: mutated(random, Buffer.from(send)),
      expected: null,
      ending: 'reset',
      mayStore: true,
    }),
  ],
  [
    'a mutated head',
    ({ random, head }) => ({
      bytes: mutated(random, Buffer.from(`GET /v1/inbox HTTP/1.1\r\n${head}\r\n`)),
      expected: null,
      ending: random.pick(['reset', 'fin']),
    }),
  ],
  ['half a request, reset', (p) => ({ bytes: cutText(p, p.send), expected: null, ending: 'reset' })],
  ['half a request, closed', (p) => ({ bytes: cutText(p, p.send), expected: null, ending: 'fin' })],
  [
    'a whole request, reset',
    ({ send }) => ({ bytes: send, expected: null, ending: 'reset', mayStore: true }),
  ],
  ['a whole request, closed', ({ send }) => ({ bytes: send, expected: null, ending: 'fin', mayStore: true })],
  ['nothing at all', ({ random }) => ({ bytes: '', expected: null, ending: random.pick(['reset', 'fin']) })],
];

function chunk(body: string): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** A WebSocket handshake to a service that does not support it. */
function upgradeOf(head: string): string {
  return `GET /v1/connect?device=d HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
}

function inPieces(random: Random, text: string): string[] {
  const at = random.int(1, text.length - 2);
  const to = random.int(at + 1, text.length - 1);
  return [text.slice(0, at), text.slice(at, to), text.slice(to)];
}

function pipelined({ random, head, send }: Parts, count: number): Draft {
  const requests = Array.from({ length: count }, () =>
    random.pick([
      { method: 'GET', text: `GET /v1/inbox?limit=1 HTTP/1.1\r\n${head}\r\n` },
      { method: 'HEAD', text: `HEAD /v1/inbox?limit=1 HTTP/1.1\r\n${head}\r\n` },
      { method: 'GET', text: `GET /nothing HTTP/1.1\r\n${head}\r\n` },
      { method: 'POST', text: send },
    ]),
  );
  return {
    bytes: requests.map(({ text }) => text).join(''),
    answers: requests.map(({ method }) => method),
    expected: [200, 201, 404],
  };
}

const NO_LENGTHS = [
  '-1',
  '+5',
  '0x10',
  '1e3',
  '',
  ' ',
  '5, 5',
  '5 5',
  '99999999999999999999999',
  'NaN',
  '5;',
  '\xb2',
];
const CODINGS = [
  'xchunked',
  'identity',
  'gzip, chunked',
  'chunked, chunked',
  'chunked, gzip',
  'Chunked',
  ' chunked',
  'chunked;x',
  '"chunked"',
];
const CHUNK_SIZES = ['zz', '', '-1', '+5', '0x5', '5 5', 'ffffffffffffffffff', '1e', ' 5', '\0'];
const TRAILERS = [
  'X: y\r\n',
  'Content-Length: 5\r\n',
  'Authorization: Bearer x\r\n',
  'Transfer-Encoding: chunked\r\n',
  `X: ${'y'.repeat(1_000)}\r\n`,
];
const HOSTS = [
  '',
  '[::1]',
  'a:b:c',
  'evil.example',
  '127.0.0.1:99999',
  'x'.repeat(2_000),
  '\xff',
  'a, b',
  'user@host',
];
const NO_METHODS = ['FOO', 'post', 'P\0ST', 'GET\tPOST', '', 'G'.repeat(200), 'PO ST', '{"a":1}'];
// Without RTSP/1.0: Node's parser takes it for HTTP/1.0 and does not report it.
const NO_VERSIONS = [
  'HTTP/2.0',
  'HTTP/3',
  'HTTP/1.2',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.1x',
  'HTTP/',
  'HTTPS/1.1',
  'HTTP/1.1 x',
  'HTTP/11',
];
const TARGETS = [
  'http://evil/v1/inbox',
  '*',
  'v1/inbox',
  '//v1/inbox',
  '?x',
  '#',
  '/v1/inbox#x',
  'http://',
  'https://a:b@c/',
  '/v1/inbox?%00',
  '/\\',
  'http://[/',
];
