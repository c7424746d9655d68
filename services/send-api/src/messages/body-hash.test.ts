import { bodyHash } from './body-hash';

const hash = (json: string): string => bodyHash(JSON.parse(json)).toString('hex');

test.each([
  ['order of keys', '{"a":1,"b":[{"d":1,"c":2}]}', '{"b":[{"c":2,"d":1}],"a":1}'],
  ['spaces', '{"a": [ 1 , 2 ] }', '{"a":[1,2]}'],
  ['escapes', '{"\\u0061":"\\u00e9\\/"}', '{"a":"é/"}'],
  ['numbers', '{"a":1.0,"b":1e2}', '{"a":1,"b":100}'],
])('§4.1: bodies are the same when their JSON values are: %s', (_name, one, other) => {
  expect(hash(one)).toBe(hash(other));
});

test.each([
  ['order of items', '{"a":[1,2]}', '{"a":[2,1]}'],
  ['a number and its text', '{"a":1}', '{"a":"1"}'],
  ['null and absent', '{"a":null}', '{}'],
  ['an empty object and an empty array', '{"a":{}}', '{"a":[]}'],
  ['a key that holds what looks like two', '{"a":1,"b":2}', '{"a\\":1,\\"b":2}'],
  ['__proto__ as a key', '{"__proto__":1}', '{}'],
  ['the depth of a key', '{"a":{"b":1},"c":1}', '{"a":{"b":1,"c":1}}'],
])('§4.1: bodies differ when their JSON values do: %s', (_name, one, other) => {
  expect(hash(one)).not.toBe(hash(other));
});
