import fc from 'fast-check';
import { countCodePoints, isStorableText } from './text.ts';

test.each([
  ['U+0000', 'a\0b'],
  ['a high surrogate alone', 'a\ud83d'],
  ['a low surrogate alone', '\ude00b'],
  ['a pair the wrong way round', '\ude00\ud83d'],
  ['a high surrogate before a pair', '\ud83d😀'],
])('§4: text with %s cannot be stored', (_name, text) => {
  expect(isStorableText(text)).toBe(false);
});

test.each([
  ['nothing', ''],
  ['pairs', '👩‍👩‍👧‍👦'],
  ['the ends of the planes', '\u0001\ud7ff\ue000\uffff\u{10ffff}'],
])('§4: text with %s can be stored', (_name, text) => {
  expect(isStorableText(text)).toBe(true);
});

test('§4: text can be stored exactly where UTF-8 gives it back and it has no U+0000', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      (text) => {
        const isExact = Buffer.from(text, 'utf8').toString('utf8') === text && !text.includes('\0');
        expect(isStorableText(text)).toBe(isExact);
      },
    ),
  );
});

test('§2: characters are counted in code points, and no further than just beyond the limit', () => {
  expect(countCodePoints('', 10)).toBe(0);
  expect(countCodePoints('aé😀', 3)).toBe(3);
  expect(countCodePoints('😀'.repeat(10), 10)).toBe(10);
  expect(countCodePoints('😀'.repeat(11), 10)).toBe(11);
  expect(countCodePoints('😀'.repeat(1_000), 10)).toBe(11);
});

test('§2: a text is within the limit exactly when its code points are', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer({ min: 0, max: 40 }),
      (text, limit) => {
        expect(countCodePoints(text, limit) <= limit).toBe(Array.from(text).length <= limit);
      },
    ),
  );
});
