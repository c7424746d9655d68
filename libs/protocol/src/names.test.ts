import { DEFAULT_DEVICE, isDeviceId, isIdempotencyKey, isMessageId, isUserId } from './names.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-';
const ALL_LATIN = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
const NOT_STRINGS = [undefined, null, 1, true, {}, [], ['bob'], new String('bob')];

test('§3: a user id is 1 to 128 characters out of A-Z a-z 0-9 . _ : @ -', () => {
  expect(ALL_LATIN.filter(isUserId).sort()).toEqual(Array.from(ALPHABET).sort());
  expect(isUserId('a'.repeat(128))).toBe(true);
  expect(isUserId('a'.repeat(129))).toBe(false);
});

test('§5: a device has the same alphabet, up to 64 characters, and a name by default', () => {
  expect(ALL_LATIN.filter(isDeviceId).sort()).toEqual(Array.from(ALPHABET).sort());
  expect(isDeviceId('a'.repeat(64))).toBe(true);
  expect(isDeviceId('a'.repeat(65))).toBe(false);
  expect(DEFAULT_DEVICE).toBe('default');
  expect(isDeviceId(DEFAULT_DEVICE)).toBe(true);
});

test('§4: an idempotency key is 1 to 255 visible ASCII characters', () => {
  const visible = ALL_LATIN.filter((char) => char > ' ' && char <= '~');
  expect(visible).toHaveLength(94);
  expect(ALL_LATIN.filter(isIdempotencyKey)).toEqual(visible);
  expect(isIdempotencyKey('k'.repeat(255))).toBe(true);
  expect(isIdempotencyKey('k'.repeat(256))).toBe(false);
});

test.each([
  ['00000000-0000-0000-0000-000000000000', true],
  ['019a0000-0000-7000-8000-00000000abcd', true],
  ['019A0000-0000-7000-8000-00000000ABCD', true],
  ['019a0000-0000-7000-8000-00000000abc', false],
  ['019a0000-0000-7000-8000-00000000abcde', false],
  ['019a00000000700080000000000000abcd', false],
  ['{019a0000-0000-7000-8000-00000000abcd}', false],
  ['019a0000-0000-7000-8000-00000000abcg', false],
])('§4: a message id is a UUID in its text form: %s %s', (id, isId) => {
  expect(isMessageId(id)).toBe(isId);
});

describe.each([
  ['user id', isUserId, 'bob'],
  ['device', isDeviceId, 'phone'],
  ['idempotency key', isIdempotencyKey, 'key'],
  ['message id', isMessageId, '019a0000-0000-7000-8000-00000000abcd'],
] as const)('%s', (_name, isName, name) => {
  test('§3: nothing slips through before or after, not even a newline', () => {
    expect(isName(name)).toBe(true);
    for (const bad of ['', ' ', `${name}\n`, `\n${name}`, `${name}\r`, ` ${name}`, `${name}\0`, `${name}é`]) {
      expect([bad, isName(bad)]).toEqual([bad, false]);
    }
  });

  test('§3: only a string is a name', () => {
    expect(NOT_STRINGS.filter(isName)).toEqual([]);
  });
});
