import {
  bootApi,
  expectProblem,
  openStores,
  pointersOf,
  type TestApi,
  type TestStores,
} from '../../test/api-fixture';

let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores, { MAX_TEXT_CHARS: '100', MAX_DATA_BYTES: '200', MAX_RECIPIENTS: '30' });
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

const users = (count: number): string[] => Array.from({ length: count }, (_, index) => `u${index}`);
const text = 'x';

test.each([
  ['an array', '[{"to":["bob"],"text":"x"}]'],
  ['null', 'null'],
  ['a string', '"x"'],
  ['a number', '1'],
  ['true', 'true'],
])('§4.2: JSON that is no object is refused: %s', async (_name, body) => {
  const response = await api.send('alice', body);
  expectProblem(response, 422, 'invalid_message');
  expect(pointersOf(response)).toEqual(['']);
});

test.each<[string, object, string[]]>([
  ['to missing', { text }, ['/to']],
  ['to null', { to: null, text }, ['/to']],
  ['to empty', { to: [], text }, ['/to']],
  ['to a string', { to: 'bob', text }, ['/to']],
  ['to an object', { to: { 0: 'bob', length: 1 }, text }, ['/to']],
  ['to with an object', { to: ['bob', { id: 'x' }], text }, ['/to/1']],
  ['to with an array', { to: ['bob', ['carol']], text }, ['/to/1']],
  ['to with a number', { to: [7], text }, ['/to/0']],
  ['to with null', { to: ['a', 'b', null], text }, ['/to/2']],
  ['an empty id', { to: [''], text }, ['/to/0']],
  ['an id of 129 characters', { to: ['a'.repeat(129)], text }, ['/to/0']],
  ['an id with a star', { to: ['a*'], text }, ['/to/0']],
  ['an id with braces', { to: ['{a}'], text }, ['/to/0']],
  ['an id with a slash', { to: ['a/b'], text }, ['/to/0']],
  ['an id with a space', { to: ['a b'], text }, ['/to/0']],
  ['an id with CR LF', { to: ['a\r\n'], text }, ['/to/0']],
  ['an id that ends with a newline', { to: ['a\n'], text }, ['/to/0']],
  ['an id that is not ASCII', { to: ['zoë'], text }, ['/to/0']],
  ['an id in full width', { to: ['ａlice'], text }, ['/to/0']],
  ['one recipient too many', { to: users(31), text }, ['/to']],
  [
    'ten times the limit in repeats',
    { to: users(30).flatMap((user) => Array(11).fill(user)), text },
    ['/to'],
  ],
  ['neither text nor data', { to: ['bob'] }, ['/text']],
  ['text empty', { to: ['bob'], text: '' }, ['/text']],
  ['text empty beside data', { to: ['bob'], text: '', data: {} }, ['/text']],
  ['text null', { to: ['bob'], text: null, data: {} }, ['/text']],
  ['text a number', { to: ['bob'], text: 1 }, ['/text']],
  ['text an array', { to: ['bob'], text: ['x'] }, ['/text']],
  ['text of 101 code points', { to: ['bob'], text: '𝒳'.repeat(101) }, ['/text']],
  ['text with U+0000', { to: ['bob'], text: 'a\u0000b' }, ['/text']],
  ['text with a lone high surrogate', { to: ['bob'], text: 'a\ud83d' }, ['/text']],
  ['text with a lone low surrogate', { to: ['bob'], text: '\ude00a' }, ['/text']],
  ['data null', { to: ['bob'], text, data: null }, ['/data']],
  ['data an array', { to: ['bob'], data: [] }, ['/data']],
  ['data a string', { to: ['bob'], data: 'true' }, ['/data']],
  ['data a number', { to: ['bob'], text, data: 0 }, ['/data']],
  ['data of 201 bytes', { to: ['bob'], data: { k: 'x'.repeat(193) } }, ['/data']],
  ['U+0000 in a value of data', { to: ['bob'], data: { a: [1, { 'b/c': '\u0000' }] } }, ['/data/a/1/b~1c']],
  ['U+0000 in a key of data', { to: ['bob'], data: { a: { 'k\u0000': 1 } } }, ['/data/a']],
  ['a lone surrogate in a key of data', { to: ['bob'], data: { '\ud800': 1 } }, ['/data']],
  ['from null', { from: null, to: ['bob'], text }, ['/from']],
  ['from a number', { from: 5, to: ['bob'], text }, ['/from']],
  ['from outside the alphabet', { from: 'a b', to: ['bob'], text }, ['/from']],
  [
    'extra fields',
    { to: ['bob'], text, id: '1', seq: 1, sender: 'x', createdAt: '', readAt: '' },
    ['/createdAt', '/id', '/readAt', '/sender', '/seq'],
  ],
  ['a constructor field', { to: ['bob'], text, constructor: 1, toString: 1 }, ['/constructor', '/toString']],
  ['several faults at once', { to: [], text: 5, data: [] }, ['/data', '/text', '/to']],
])('§4.1: refused with a pointer: %s', async (_name, body, pointers) => {
  const response = await api.send('alice', body);
  expectProblem(response, 422, 'invalid_message');
  expect(pointersOf(response)).toEqual(pointers);
});

test.each([
  ['a __proto__ field', '{"to":["bob"],"text":"x","__proto__":{"text":"y"}}', ['/__proto__']],
  ['fields only in __proto__', '{"__proto__":{"to":["bob"],"text":"x"}}', ['/__proto__', '/text', '/to']],
  ['a number beyond a double', '{"to":["bob"],"data":{"n":1e999}}', ['/data/n']],
  [
    'keys that are words of a template',
    '{"to":["bob"],"data":{"$property":{"$value":"\\u0000","$target":1}}}',
    ['/data/$property/$value'],
  ],
  [
    'keys with the signs of a pointer',
    '{"to":["bob"],"data":{"a/b":{"c~d":"\\u0000"}}}',
    ['/data/a~1b/c~0d'],
  ],
])('§4.1: refused with a pointer: %s', async (_name, body, pointers) => {
  const response = await api.send('alice', body);
  expectProblem(response, 422, 'invalid_message');
  expect(pointersOf(response)).toEqual(pointers);
  expect(Reflect.get({}, 'text')).toBeUndefined();
});

test.each([65, 5_000, 30_000, 100_000])(
  '§4.1: data nested %i levels deep is refused, not crashed on',
  async (depth) => {
    const nested = `{"to":["bob"],"data":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    expectProblem(await api.send('alice', nested), 422, 'invalid_message');
  },
);

test('§4.1: a thousand unknown fields are answered with a bounded list', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`${'k'.repeat(80)}${index}`, 1]),
  );
  const response = await api.send('alice', { to: ['bob'], text, ...many });
  expectProblem(response, 422, 'invalid_message');
  expect(response.text.length).toBeLessThan(10_000);
});

test('a refused send changes no row', async () => {
  expect(await stores.database.query('SELECT id FROM message')).toEqual([]);
  expect(await stores.database.query('SELECT user_id FROM inbox')).toEqual([]);
});
