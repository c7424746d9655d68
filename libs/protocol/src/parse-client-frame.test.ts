import fc from 'fast-check';
import type { ClientFrame } from './frames.ts';
import { parseClientFrame } from './parse-client-frame.ts';

const ID = '019a0000-0000-7000-8000-00000000abcd';

test.each<[string, ClientFrame]>([
  ['{"type":"ack","seq":0}', { type: 'ack', seq: 0 }],
  ['{"type":"ack","seq":9007199254740991,"ref":"r"}', { type: 'ack', seq: 9007199254740991, ref: 'r' }],
  ['{"type":"ack","seq":1.0}', { type: 'ack', seq: 1 }],
  [` {"ref":-1,"ids":["${ID}"],"type":"read"}\n`, { type: 'read', ids: [ID], ref: -1 }],
  [`{"type":"read","ids":["${ID.toUpperCase()}"]}`, { type: 'read', ids: [ID.toUpperCase()] }],
  [`{"type":"read","ids":["${ID}","${ID}"]}`, { type: 'read', ids: [ID, ID] }],
  ['{"type":"auth","token":"a.b.c"}', { type: 'auth', token: 'a.b.c' }],
  ['{"type":"ping"}', { type: 'ping' }],
  ['{"type":"ping","ref":0}', { type: 'ping', ref: 0 }],
  [`{"type":"ping","ref":"${'r'.repeat(128)}"}`, { type: 'ping', ref: 'r'.repeat(128) }],
])('§5: a frame is taken: %s', (text, frame) => {
  expect(parseClientFrame(text)).toEqual({ frame });
});

const many = (count: number): string => JSON.stringify(Array.from({ length: count }, () => ID));

test('§5: a read takes up to 100 ids', () => {
  expect(parseClientFrame(`{"type":"read","ids":${many(100)}}`)).toHaveProperty('frame');
});

test.each([
  ['nothing', '', 'invalid_json'],
  ['not JSON', 'ping', 'invalid_json'],
  ['cut off', '{"type":"ping"', 'invalid_json'],
  ['two values', '{"type":"ping"}{"type":"ping"}', 'invalid_json'],
  ['a byte order mark', '\ufeff{"type":"ping"}', 'invalid_json'],
  ['an array', '[{"type":"ping"}]', 'invalid_json'],
  ['a string', '"ping"', 'invalid_json'],
  ['null', 'null', 'invalid_json'],
  ['nesting without end', '['.repeat(60_000), 'invalid_json'],
  ['no type', '{}', 'unknown_type'],
  ['an unknown type', '{"type":"send"}', 'unknown_type'],
  ['a type of the server', '{"type":"welcome"}', 'unknown_type'],
  ['a type in capitals', '{"type":"PING"}', 'unknown_type'],
  ['a type that every object has', '{"type":"constructor"}', 'unknown_type'],
  ['__proto__ as type', '{"type":"__proto__"}', 'unknown_type'],
  ['a type that is no string', '{"type":["ping"]}', 'unknown_type'],
  ['a type only in __proto__', '{"__proto__":{"type":"ping"}}', 'unknown_type'],
  ['an unknown field', '{"type":"ping","extra":1}', 'unknown_field'],
  ['__proto__ as field', '{"type":"ping","__proto__":{}}', 'unknown_field'],
  ['a field of another frame', '{"type":"ack","seq":1,"ids":[]}', 'unknown_field'],
  ['an ack without seq', '{"type":"ack"}', 'invalid_field'],
  ['a negative seq', '{"type":"ack","seq":-1}', 'invalid_field'],
  ['a seq with a fraction', '{"type":"ack","seq":1.5}', 'invalid_field'],
  ['a seq beyond the safe integers', '{"type":"ack","seq":9007199254740992}', 'invalid_field'],
  ['an infinite seq', '{"type":"ack","seq":1e999}', 'invalid_field'],
  ['a seq as text', '{"type":"ack","seq":"1"}', 'invalid_field'],
  ['a seq that is null', '{"type":"ack","seq":null}', 'invalid_field'],
  ['a read without ids', '{"type":"read"}', 'invalid_field'],
  ['ids that are no array', `{"type":"read","ids":"${ID}"}`, 'invalid_field'],
  ['no id', '{"type":"read","ids":[]}', 'invalid_field'],
  ['101 ids', `{"type":"read","ids":${many(101)}}`, 'invalid_field'],
  ['an id that is no UUID', `{"type":"read","ids":["${ID}","x"]}`, 'invalid_field'],
  ['an id that is no string', '{"type":"read","ids":[1]}', 'invalid_field'],
  ['an auth without token', '{"type":"auth"}', 'invalid_field'],
  ['an empty token', '{"type":"auth","token":""}', 'invalid_field'],
  ['a token that is no string', '{"type":"auth","token":{}}', 'invalid_field'],
  ['an empty ref', '{"type":"ping","ref":""}', 'invalid_field'],
  ['a long ref', `{"type":"ping","ref":"${'r'.repeat(129)}"}`, 'invalid_field'],
  ['a ref with a fraction', '{"type":"ping","ref":0.5}', 'invalid_field'],
  ['a ref that is null', '{"type":"ping","ref":null}', 'invalid_field'],
  ['a ref that is an object', '{"type":"ping","ref":{}}', 'invalid_field'],
])('§5: a bad frame is answered with an error: %s', (_name, text, code) => {
  expect(parseClientFrame(text)).toEqual({ fault: { code, detail: expect.stringMatching(/\S/) } });
});

test.each([
  ['{"type":"send","ref":"r1"}', 'unknown_type', 'r1'],
  ['{"type":"ack","seq":-1,"ref":"r1"}', 'invalid_field', 'r1'],
  ['{"type":"ping","x":1,"ref":7}', 'unknown_field', 7],
])('§5: the error frame carries the ref: %s', (text, code, ref) => {
  expect(parseClientFrame(text)).toMatchObject({ fault: { code, ref } });
});

test('§5: an error frame stays small however long the unknown field is', () => {
  const parsed = parseClientFrame(JSON.stringify({ type: 'ping', ['x'.repeat(60_000)]: 1 }));
  expect(JSON.stringify(parsed).length).toBeLessThan(300);
});

const ref = fc.option(fc.oneof(fc.string({ minLength: 1, maxLength: 128 }), fc.maxSafeInteger()), {
  nil: undefined,
});
const frames = fc
  .tuple(
    fc.oneof(
      fc.record({ type: fc.constant('ack' as const), seq: fc.maxSafeNat() }),
      fc.record({
        type: fc.constant('read' as const),
        ids: fc.array(fc.uuid(), { minLength: 1, maxLength: 100 }),
      }),
      fc.record({ type: fc.constant('auth' as const), token: fc.string({ minLength: 1 }) }),
      fc.record({ type: fc.constant('ping' as const) }),
    ),
    ref,
  )
  .map(([frame, mark]): ClientFrame => (mark === undefined ? frame : { ...frame, ref: mark }));

test('§5: every valid frame comes out as it was put in', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      expect(parseClientFrame(JSON.stringify(frame))).toEqual({ frame });
    }),
  );
});

/** Any text of UTF-8. fast-check's own unit for it takes 2 s to be made. */
const codePoint = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

test('§5: whatever a client sends, reading it never throws, and what is taken is a valid frame', () => {
  const nearly = fc.record(
    {
      type: fc.oneof(fc.constantFrom('ack', 'read', 'auth', 'ping'), fc.string()),
      seq: fc.jsonValue(),
      ids: fc.jsonValue(),
      token: fc.jsonValue(),
      ref: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const texts = fc.oneof(
    fc.string({ unit: codePoint }),
    fc.json(),
    nearly.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseClientFrame(text);
      if ('frame' in parsed) expect(parseClientFrame(JSON.stringify(parsed.frame))).toEqual(parsed);
      else expect(parsed.fault.detail).toMatch(/\S/);
    }),
    { numRuns: 500 },
  );
});
