import { randomUUID } from 'node:crypto';
import type { Random } from '../random';
import { anyJson, BAD_UTF8, FIELD_NAMES, mutated, randomBytes, strangeValue, withStrangeNode } from './evil';
import type { FrameSelf, TextCase, WireCase } from './fuzz-case';
import { clientFrame, OPCODE } from './wire';

/**
 * How many messages wait in the inbox of each connection of this lane. Acknowledgements up to this number are valid.
 */
export const PREFILL = 40;

interface TextDraft {
  text: string | ((self: FrameSelf) => string);
  expected: string | null;
  /** False if the ref cannot be read from the frame. */
  hasRef?: boolean;
}

/** A frame on an open connection. Nine in ten are text frames, which can share a connection. */
export function makeFrameCase(number: number, random: Random): TextCase | WireCase {
  return random.chance(0.9) ? makeTextCase(number, random) : makeWireCase(number, random);
}

function makeTextCase(number: number, random: Random): TextCase {
  const ref = `c${number}`;
  const [what, make] = random.pick(TEXTS);
  const { text, expected, hasRef = expected !== null } = make(random, ref);
  return {
    number,
    what,
    lane: 'frames',
    kind: 'text',
    text: typeof text === 'string' ? () => text : text,
    expected,
    ref: hasRef ? ref : null,
  };
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/**
 * A valid frame that will be damaged. Its ref is of another kind, because one flipped bit could make it the ref of a
 * neighbour.
 */
function goodFrame(random: Random, neighbour: string, self?: FrameSelf): object {
  const ref = `mutant-of-${neighbour}`;
  return random.pick([
    { type: 'ping', ref },
    { type: 'ack', seq: random.int(0, PREFILL), ref },
    { type: 'read', ids: self?.ids.slice(0, 2) ?? [randomUUID()], ref },
    { type: 'auth', token: self?.token ?? 'x', ref },
  ]);
}

const TEXTS: readonly (readonly [string, (random: Random, ref: string) => TextDraft])[] = [
  ['ping', (_, ref) => ({ text: json({ type: 'ping', ref }), expected: 'pong' })],
  ['ack', (r, ref) => ({ text: json({ type: 'ack', seq: r.int(0, PREFILL), ref }), expected: 'ok' })],
  [
    'ack, a number written otherwise',
    (r, ref) => ({
      text: `{"type":"ack","ref":"${ref}","seq":${r.pick(['1.0', '1e0', '-0', '30e-1'])}}`,
      expected: 'ok',
    }),
  ],
  [
    'ack beyond what was sent',
    (r, ref) => ({
      text: json({ type: 'ack', seq: r.pick([PREFILL + 1, 1e9, Number.MAX_SAFE_INTEGER]), ref }),
      expected: 'ack_beyond_sent',
    }),
  ],
  [
    'ack of what is no seq',
    (r, ref) => ({
      text: `{"type":"ack","ref":"${ref}","seq":${r.pick(NO_SEQS)}}`,
      expected: 'invalid_field',
    }),
  ],
  [
    'ack of another type',
    (r, ref) => ({
      text: json({ type: 'ack', seq: r.pick<unknown>([null, '7', [], {}, true, [1]]), ref }),
      expected: 'invalid_field',
    }),
  ],
  ['ack without seq', (_, ref) => ({ text: json({ type: 'ack', ref }), expected: 'invalid_field' })],
  [
    'read',
    (r, ref) => ({ text: ({ ids }) => json({ type: 'read', ids: [r.pick(ids)], ref }), expected: 'ok' }),
  ],
  [
    'read of upper case',
    (r, ref) => ({
      text: ({ ids }) => json({ type: 'read', ids: [r.pick(ids).toUpperCase()], ref }),
      expected: 'ok',
    }),
  ],
  [
    'read of what is not there',
    (_, ref) => ({
      text: ({ ids }) => json({ type: 'read', ids: [...ids.slice(0, 2), randomUUID()], ref }),
      expected: 'not_in_inbox',
    }),
  ],
  [
    'read of what is no id',
    (r, ref) => ({ text: json({ type: 'read', ids: r.pick(NO_ID_LISTS), ref }), expected: 'invalid_field' }),
  ],
  ['auth', (_, ref) => ({ text: ({ token }) => json({ type: 'auth', token, ref }), expected: 'ok' })],
  [
    'auth of somebody else',
    (_, ref) => ({
      text: ({ strangersToken }) => json({ type: 'auth', token: strangersToken, ref }),
      expected: 'wrong_user',
    }),
  ],
  [
    'auth, a bad token',
    (r, ref) => ({
      text: ({ token }) => json({ type: 'auth', token: token.slice(0, r.int(1, token.length - 4)), ref }),
      expected: 'invalid_token',
    }),
  ],
  [
    'auth of another type',
    (r, ref) => ({
      text: json({ type: 'auth', token: r.pick<unknown>([null, 7, '', [], {}]), ref }),
      expected: 'invalid_field',
    }),
  ],
  [
    'an unknown type',
    (r, ref) => ({ text: json({ type: r.pick<unknown>(NO_TYPES), ref }), expected: 'unknown_type' }),
  ],
  ['no type', (_, ref) => ({ text: json({ ref }), expected: 'unknown_type' })],
  [
    'an unknown field',
    (r, ref) => ({
      text: `{"type":"ping","ref":"${ref}",${json(r.pick(FIELD_NAMES))}:${json(strangeValue(r))}}`,
      expected: 'unknown_field',
    }),
  ],
  [
    'fields of another frame',
    (_, ref) => ({
      text: ({ token }) => json({ type: 'ack', seq: 1, token, ref }),
      expected: 'unknown_field',
    }),
  ],
  [
    'whom it concerns',
    (r, ref) => ({
      text: json({ type: 'ack', seq: 1, ref, [r.pick(['user', 'device', 'from', 'session'])]: 'canary' }),
      expected: 'unknown_field',
    }),
  ],
  [
    'a ref that is none',
    (r) => ({
      text: json({
        type: 'ping',
        ref: r.pick<unknown>([null, '', 'x'.repeat(129), 1.5, true, {}, [], 1e300]),
      }),
      expected: 'invalid_field',
      hasRef: false,
    }),
  ],
  ['not JSON', (r) => ({ text: r.pick(NO_JSON), expected: 'invalid_json', hasRef: false })],
  [
    'JSON, but no object',
    (r) => ({
      text: json(r.pick<unknown>([null, 7, 'ping', [], [{ type: 'ping' }], true])),
      expected: 'invalid_json',
      hasRef: false,
    }),
  ],
  [
    'cut off',
    (r, ref) => ({
      text: cut(r, json({ type: 'ack', seq: 3, ref })),
      expected: 'invalid_json',
      hasRef: false,
    }),
  ],
  [
    'nesting',
    (r) => ({ text: '['.repeat(r.pick([10, 1_000, 30_000])), expected: 'invalid_json', hasRef: false }),
  ],
  [
    'nesting that ends',
    () => ({ text: `${'['.repeat(30_000)}${']'.repeat(30_000)}`, expected: 'invalid_json', hasRef: false }),
  ],
  [
    'nesting in a field',
    (_, ref) => ({
      text: `{"type":"ack","ref":"${ref}","seq":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      expected: 'invalid_field',
    }),
  ],
  [
    '65,536 bytes',
    (r) => ({ text: r.pick([' ', 'x']).repeat(65_536), expected: 'invalid_json', hasRef: false }),
  ],
  [
    'a key twice',
    (_, ref) => ({ text: `{"type":"read","type":"ping","ref":"x","ref":"${ref}"}`, expected: 'pong' }),
  ],
  [
    'names of prototypes',
    (_, ref) => ({
      text: `{"type":"ping","ref":"${ref}","__proto__":{"type":"ack"}}`,
      expected: 'unknown_field',
    }),
  ],
  [
    'white space',
    (_, ref) => ({ text: ` \t\r\n${JSON.stringify({ type: 'ping', ref }, null, 4)}\n`, expected: 'pong' }),
  ],
  ['a byte order mark', (_, ref) => ({ text: `\ufeff${json({ type: 'ping', ref })}`, expected: null })],
  [
    'a strange ref',
    (_, ref) => ({ text: json({ type: 'ping', ref: `\u0000\u2028"\\👩‍👧${ref}` }), expected: null }),
  ],
  [
    'mutated text',
    (r, ref) => ({
      text: (self) => mutated(r, Buffer.from(json(goodFrame(r, ref, self)))).toString('utf8'),
      expected: null,
    }),
  ],
  [
    'a node replaced',
    (r, ref) => ({ text: (self) => json(withStrangeNode(r, goodFrame(r, ref, self))), expected: null }),
  ],
  ['any JSON', (r) => ({ text: json(anyJson(r)), expected: null })],
];

const NO_SEQS = ['-1', '1.5', '9007199254740992', '9223372036854775808', '1e999', '1e300', '"7"', '-1e999'];
const NO_ID_LISTS: readonly unknown[] = [
  null,
  [],
  'x',
  ['x'],
  [7],
  [null],
  {},
  [[]],
  Array.from({ length: 101 }, () => randomUUID()),
  [''],
  [`${randomUUID()}x`],
  ["'"],
];
const NO_TYPES = [
  '',
  'PING',
  'ping ',
  'welcome',
  'message',
  'goodbye',
  '__proto__',
  'constructor',
  'toString',
  null,
  7,
  {},
  [],
  ['ping'],
  true,
];
const NO_JSON = [
  '',
  ' ',
  'ping',
  '{',
  '}',
  '{}{}',
  "{'type':'ping'}",
  '{"type":"ping",}',
  'undefined',
  'NaN',
  '\u0000',
  '{"type":"\u0001"}',
  '<x/>',
  'GET / HTTP/1.1\r\n\r\n',
];

function cut(random: Random, text: string): string {
  return text.slice(0, random.int(0, text.length - 1));
}

interface WireDraft {
  bytes: Buffer;
  closes: readonly number[] | null;
  isCut?: boolean;
}

function makeWireCase(number: number, random: Random): WireCase {
  const [what, make] = random.pick(WIRES);
  const { bytes, closes, isCut = false } = make(random);
  return { number, what, lane: 'frames', kind: 'wire', bytes, closes, isCut };
}

const PING = '{"type":"ping"}';
const STAYS: readonly number[] = [];
const BREACH = [1002];

const WIRES: readonly (readonly [string, (random: Random) => WireDraft])[] = [
  [
    'reserved opcodes',
    (r) => ({ bytes: clientFrame(r, r.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), PING), closes: BREACH }),
  ],
  [
    'reserved bits',
    (r) => ({ bytes: clientFrame(r, OPCODE.text, PING, { rsv: r.int(1, 7) }), closes: BREACH }),
  ],
  [
    'not masked',
    (r) => ({ bytes: clientFrame(r, r.pick([1, 2, 8, 9]), PING, { isMasked: false }), closes: BREACH }),
  ],
  [
    'binary',
    (r) => ({ bytes: clientFrame(r, OPCODE.binary, randomBytes(r, r.int(0, 300))), closes: [1003] }),
  ],
  [
    'control frame too long',
    (r) => ({ bytes: clientFrame(r, r.pick([8, 9, 10]), randomBytes(r, r.int(126, 300))), closes: BREACH }),
  ],
  [
    'control frame in fragments',
    (r) => ({ bytes: clientFrame(r, r.pick([8, 9, 10]), '', { isFinal: false }), closes: BREACH }),
  ],
  [
    'continuation of nothing',
    (r) => ({ bytes: clientFrame(r, OPCODE.continuation, PING, { isFinal: r.chance(0.5) }), closes: BREACH }),
  ],
  [
    'a frame within a fragmented one',
    (r) => ({
      bytes: Buffer.concat([clientFrame(r, 1, '{', { isFinal: false }), clientFrame(r, r.pick([1, 2]), '}')]),
      closes: BREACH,
    }),
  ],
  [
    'not UTF-8',
    (r) => ({
      bytes: clientFrame(
        r,
        OPCODE.text,
        Buffer.concat([Buffer.from('{"type":"'), r.pick(BAD_UTF8), Buffer.from('"}')]),
      ),
      closes: [1007],
    }),
  ],
  [
    'not UTF-8 over fragments',
    (r) => ({
      bytes: fragments(r, Buffer.concat([Buffer.from('{"type":"'), r.pick(BAD_UTF8), Buffer.from('"}')])),
      closes: [1007],
    }),
  ],
  ['65,537 bytes', (r) => ({ bytes: clientFrame(r, OPCODE.text, 'x'.repeat(65_537)), closes: [1009] })],
  [
    '65,537 bytes in fragments',
    (r) => ({
      bytes: Buffer.concat([
        clientFrame(r, 1, 'x'.repeat(40_000), { isFinal: false }),
        clientFrame(r, 0, 'x'.repeat(25_537)),
      ]),
      closes: [1009],
    }),
  ],
  [
    'a length beyond all',
    (r) => ({
      bytes: clientFrame(r, OPCODE.text, PING, {
        length: r.pick([65_537n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 64n - 1n]),
        lengthBytes: 8,
      }),
      closes: [1009],
    }),
  ],
  [
    'a length beyond what comes',
    (r) => ({
      bytes: clientFrame(r, OPCODE.text, PING, { length: BigInt(r.int(20, 65_000)) }),
      closes: null,
      isCut: true,
    }),
  ],
  [
    'a length below what comes',
    (r) => ({
      bytes: clientFrame(r, OPCODE.text, `${PING}${PING}${PING}`, { length: BigInt(r.int(0, 40)) }),
      closes: null,
      isCut: true,
    }),
  ],
  [
    'a length written longer than need be',
    (r) => ({ bytes: clientFrame(r, OPCODE.text, PING, { lengthBytes: r.pick([2, 8]) }), closes: null }),
  ],
  [
    'close codes that none may send',
    (r) => ({
      bytes: closeFrame(r, r.pick([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2_999, 5_000, 65_535])),
      closes: BREACH,
    }),
  ],
  [
    'close codes that may be sent',
    (r) => {
      const code = r.pick([1000, 1001, 1008, 1011, 3000, 3999, 4000, 4999]);
      return { bytes: closeFrame(r, code, 'bye 👋'), closes: [code] };
    },
  ],
  [
    'a close with one byte',
    (r) => ({ bytes: clientFrame(r, OPCODE.close, randomBytes(r, 1)), closes: BREACH }),
  ],
  ['a close with nothing', (r) => ({ bytes: clientFrame(r, OPCODE.close, ''), closes: [1005] })],
  [
    'a close whose reason is not UTF-8',
    (r) => ({
      bytes: clientFrame(r, OPCODE.close, Buffer.concat([Buffer.from([3, 232]), r.pick(BAD_UTF8)])),
      closes: [1007],
    }),
  ],
  [
    'frames after a close',
    (r) => ({
      bytes: Buffer.concat([closeFrame(r, 1000), clientFrame(r, 1, PING), randomBytes(r, 20)]),
      closes: [1000],
    }),
  ],
  [
    'pings',
    (r) => ({
      bytes: Buffer.concat(
        Array.from({ length: r.int(1, 20) }, () =>
          clientFrame(r, OPCODE.ping, randomBytes(r, r.int(0, 125))),
        ),
      ),
      closes: STAYS,
    }),
  ],
  [
    'pongs that nobody asked for',
    (r) => ({
      bytes: Buffer.concat(
        Array.from({ length: r.int(1, 20) }, () =>
          clientFrame(r, OPCODE.pong, randomBytes(r, r.int(0, 125))),
        ),
      ),
      closes: STAYS,
    }),
  ],
  ['fragments, with pings between', (r) => ({ bytes: fragments(r, Buffer.from(PING), true), closes: STAYS })],
  [
    'characters cut by fragments',
    (r) => ({ bytes: fragments(r, Buffer.from('{"type":"ping","ref":"👩‍👧é"}')), closes: STAYS }),
  ],
  [
    'empty fragments',
    (r) => ({
      bytes: Buffer.concat([
        clientFrame(r, 1, '', { isFinal: false }),
        clientFrame(r, 0, '', { isFinal: false }),
        clientFrame(r, 0, PING),
      ]),
      closes: STAYS,
    }),
  ],
  [
    'very many fragments',
    (r) => ({
      bytes: Buffer.concat([
        clientFrame(r, 1, '', { isFinal: false }),
        ...Array.from({ length: 17_000 }, () => NO_FRAGMENT),
      ]),
      closes: [1008],
    }),
  ],
  ['half a frame', (r) => ({ bytes: cutBytes(r, clientFrame(r, 1, PING)), closes: null, isCut: true })],
  ['random bytes', (r) => ({ bytes: randomBytes(r, r.int(1, 200)), closes: null, isCut: true })],
  ['a mutated frame', (r) => ({ bytes: mutated(r, clientFrame(r, 1, PING)), closes: null, isCut: true })],
  ['HTTP', () => ({ bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), closes: [1002] })],
  ['cut without a word', () => ({ bytes: Buffer.alloc(0), closes: null, isCut: true })],
];

/** A masked empty continuation frame that is not the last. */
const NO_FRAGMENT = Buffer.from([0, 0x80, 0, 0, 0, 0]);

function closeFrame(random: Random, code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return clientFrame(random, OPCODE.close, payload);
}

function fragments(random: Random, payload: Buffer, withPings = false): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const to = Math.min(payload.length, at + random.int(1, 6));
    const opcode = at === 0 ? OPCODE.text : OPCODE.continuation;
    parts.push(clientFrame(random, opcode, payload.subarray(at, to), { isFinal: to === payload.length }));
    if (withPings && to < payload.length) parts.push(clientFrame(random, OPCODE.ping, 'x'));
    at = to;
  }
  return Buffer.concat(parts);
}

function cutBytes(random: Random, bytes: Buffer): Buffer {
  return bytes.subarray(0, random.int(0, bytes.length - 1));
}
