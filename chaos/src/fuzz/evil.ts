import type { Random } from '../random';

/** Part of every fuzzed message text. It must never appear in a log. */
export const TEXT_MARK = 'zq7textqz';

/** Valid texts that something between the request and the store may handle wrongly. */
const STRANGE_TEXTS = [
  "'; DROP TABLE message; --",
  '\\',
  '$1',
  '%s %d %n',
  '_%',
  '{{7*7}}${7*7}<%= 7*7 %>',
  '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  '\t\v\f\b',
  '\u2028\u2029',
  '\ufeffx',
  '\u202egnirts',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  'é e\u0301 ﬁ Ω Ω',
  '\u{10ffff}\u{1f600}',
  '\ufffe\uffff',
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  ' ',
  '{"type":"welcome"}',
  '\u007f\u0080\u009f',
];

/** Values for fields of another type. */
const STRANGE_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  'true',
  [],
  {},
  [[]],
  [null],
  [{}],
  { length: 1 },
  { toString: 'x' },
  JSON.parse('{"__proto__":null}'),
  JSON.parse('{"then":1}'),
  { toJSON: 1 },
];

/** Different spellings of numbers, all within the range of a double. */
export const NUMBER_TEXTS = [
  '0',
  '-0',
  '1E0',
  '1e-400',
  '1.7976931348623157e308',
  '5e-324',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1000000000000000055511151231257827',
  '-1e+2',
];

/** Names of fields in objects, in prototypes, or in our own rows. */
export const FIELD_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  'id',
  'seq',
  'sender',
  'createdAt',
  'readAt',
  'To',
  'TEXT',
  '',
  ' ',
  'to ',
  'a/b~c',
  '$where',
  '🙂',
];

export function strangeText(random: Random): string {
  return `${TEXT_MARK}${random.pick(STRANGE_TEXTS)}${random.int(0, 1e9)}`;
}

export function strangeValue(random: Random): unknown {
  return random.pick(STRANGE_VALUES);
}

/** Any small JSON value. */
export function anyJson(random: Random, depth = 0): unknown {
  const kind = random.int(0, depth >= 5 ? 3 : 5);
  if (kind === 0) return random.int(-1e6, 1e6);
  if (kind === 1) return strangeText(random);
  if (kind === 2) return random.pick([null, true, false, '', 0]);
  if (kind === 3) return random.int(0, 0x7fffffff) / 1024;
  const items = Array.from({ length: random.int(0, 4) }, () => anyJson(random, depth + 1));
  if (kind === 4) return items;
  return Object.fromEntries(items.map((item, index) => [`k${index}${random.pick(FIELD_NAMES)}`, item]));
}

/** The value with one random node replaced, removed or doubled. */
export function withStrangeNode(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.3)) return strangeValue(random);
  if (Array.isArray(value)) {
    const copy: unknown[] = [...value];
    const at = random.int(0, Math.max(0, copy.length - 1));
    if (random.chance(0.2)) copy.splice(at, 1);
    else copy[at] = withStrangeNode(random, copy[at]);
    return copy;
  }
  const entries = Object.entries(value);
  const at = random.int(0, Math.max(0, entries.length - 1));
  const [name = 'x', inner] = entries[at] ?? [];
  const way = random.int(0, 4);
  if (way === 0) entries.splice(at, 1);
  else if (way === 1) entries[at] = [random.pick(FIELD_NAMES), inner];
  else entries[at] = [name, withStrangeNode(random, inner)];
  return Object.fromEntries(entries);
}

export function randomBytes(random: Random, count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  for (let at = 0; at < count; at++) bytes[at] = random.int(0, 255);
  return bytes;
}

/** The bytes with a few flipped, removed, doubled or inserted. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let times = random.int(1, 4); times > 0; times--) {
    const at = random.int(0, Math.max(0, result.length - 1));
    const length = random.int(1, 8);
    const [before, piece, after] = [
      result.subarray(0, at),
      result.subarray(at, at + length),
      result.subarray(at + length),
    ];
    const way = random.int(0, 4);
    if (way === 0 && result.length > 0) result[at] = (result[at] ?? 0) ^ (1 << random.int(0, 7));
    else if (way === 1) result = Buffer.concat([before, after]);
    else if (way === 2) result = Buffer.concat([before, piece, piece, after]);
    else if (way === 3) result = Buffer.concat([before, randomBytes(random, length), after]);
    else result = Buffer.concat([before, Buffer.from(random.pick(SPICES)), after]);
  }
  return result;
}

const SPICES = [
  '\0',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\u',
  '\\',
  '\r\n',
  '\n',
  '\xff',
  '-',
  '1e999',
  'null',
];

/** Bytes that are not UTF-8, even between ASCII characters. */
export const BAD_UTF8: readonly Buffer[] = [
  [0xff],
  [0xfe],
  [0x80],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc3],
  [0xe0, 0x80, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
].map((bytes) => Buffer.from(bytes));
