import fc from 'fast-check';
import { escapePointer, findDataFault, isJsonObject, MAX_DATA_DEPTH } from './data.ts';

/** An object nested so that its innermost object is on level `depth`. */
function nested(depth: number): string {
  return `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
}

test.each([
  ['a value with U+0000', '{"a":["x","\\u0000"]}', '/a/1', 'U+0000'],
  ['a value with a lone surrogate', '{"a":{"b":"\\ud800"}}', '/a/b', 'surrogate'],
  ['a key with U+0000', '{"a":{"\\u0000":1}}', '/a', 'key'],
  ['a key with a lone surrogate', '{"\\udc00":1}', '', 'key'],
  ['a number beyond a double', '{"a":1e999}', '/a', 'range'],
  ['a negative one', '{"a":[[-1e999]]}', '/a/0/0', 'range'],
  ['a fault behind keys that need escaping', '{"a/b":{"~c":"\\u0000"}}', '/a~1b/~0c', 'U+0000'],
  ['a fault under __proto__', '{"__proto__":{"a":"\\u0000"}}', '/__proto__/a', 'U+0000'],
])('§4: %s is found, with where it is', (_name, json, pointer, detail) => {
  expect(findDataFault(JSON.parse(json))).toEqual({ pointer, detail: expect.stringContaining(detail) });
});

test('§4: data may be nested 64 deep, and the first level beyond is named', () => {
  expect(MAX_DATA_DEPTH).toBe(64);
  expect(findDataFault(JSON.parse(nested(64)))).toBeNull();
  expect(findDataFault(JSON.parse(nested(65)))).toEqual({
    pointer: '/a'.repeat(64),
    detail: expect.stringContaining('64 levels'),
  });
  expect(findDataFault(JSON.parse(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`))).not.toBeNull();
});

test('§4: nesting that JSON.parse takes but no stack could walk is refused, not thrown', () => {
  expect(findDataFault(JSON.parse(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))).not.toBeNull();
});

test('§4: looking for faults changes nothing: __proto__ stays a key of its own', () => {
  const json = '{"b":1,"__proto__":{"polluted":true},"a":"\\u0001 😀"}';
  const value: unknown = JSON.parse(json);
  expect(findDataFault(value)).toBeNull();
  expect(JSON.stringify(value)).toBe('{"b":1,"__proto__":{"polluted":true},"a":"\\u0001 😀"}');
  expect({}).not.toHaveProperty('polluted');
});

/** Any text of UTF-8. fast-check's own unit for it takes 2 s to be made. */
const codePoint = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

test('§4: what has no fault is the same after a trip through JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: codePoint }), (value) => {
      const parsed: unknown = JSON.parse(JSON.stringify(value));
      fc.pre(findDataFault(parsed) === null);
      expect(JSON.parse(Buffer.from(JSON.stringify(parsed), 'utf8').toString('utf8'))).toEqual(parsed);
    }),
  );
});

test('§4: only an object is an object', () => {
  expect([{}, { a: 1 }].every(isJsonObject)).toBe(true);
  expect([null, [], '', 1, true, undefined].some(isJsonObject)).toBe(false);
});

test('a step of a JSON Pointer escapes ~ before /', () => {
  expect(escapePointer('a/~b~1')).toBe('a~1~0b~01');
});
