import { type Bindings, difference, resolve } from './pattern';

const bindings = (): Bindings => new Map([['bob', 'bob-1']]);

test.each([
  ['equal texts', 'a', 'a'],
  ['a name that is known', '$bob', 'bob-1'],
  ['a name within a text', 'to ${bob}', 'to bob-1'],
  ['anything', '$*', { a: 1 }],
  ['more fields than asked for', { a: 1 }, { a: 1, b: 2 }],
  ['a field that is not there', { a: { $absent: true } }, {}],
  ['lists, part by part', [1, '$*'], [1, 2]],
  ['null', null, null],
])('takes %s', (_what, pattern, value) => {
  expect(difference(pattern, value, bindings())).toBeNull();
});

test.each([
  ['another text', 'a', 'b', 'it must be "a", and is "b"'],
  ['another type', 1, '1', 'it must be 1, and is "1"'],
  ['a name that is somebody else', '$bob', 'bob-2', 'must be "bob-1"'],
  ['a field that is missing', { a: { b: 1 } }, { a: {} }, '/a/b is missing'],
  ['a field that must not be there', { a: { $absent: true } }, { a: null }, '/a must not be there'],
  ['a longer list', [1], [1, 2], 'it must be [1]'],
  ['a list for an object', { a: 1 }, [1], 'it must be {"a":1}'],
  ['null for an object', { a: 1 }, null, 'and is null'],
])('tells %s', (_what, pattern, value, words) => {
  expect(difference(pattern, value, bindings())).toContain(words);
});

test('a name takes the first value it meets, and demands it from then on', () => {
  const known = bindings();
  expect(difference({ id: '$id', again: '$id' }, { id: 'x', again: 'x' }, known)).toBeNull();
  expect(difference('$id', 'y', known)).toContain('must be "x"');
  expect(resolve({ path: '/v1/messages/${id}', ids: ['$id'] }, known)).toEqual({
    path: '/v1/messages/x',
    ids: ['x'],
  });
  expect(() => resolve('$nobody', known)).toThrow('$nobody');
});
