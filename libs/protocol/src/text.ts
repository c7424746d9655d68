/** What strings can be stored and given back exactly: Postgres takes neither U+0000 nor half a surrogate pair. */

// With the `u` flag a paired surrogate is one code point, so this finds lone ones only.
const UNSTORABLE = /[\0\ud800-\udfff]/u;

/** True when `text` holds neither U+0000 nor a lone surrogate. */
export function isStorableText(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** The number of Unicode code points in `text`, counted up to `limit` + 1. */
export function countCodePoints(text: string, limit: number): number {
  // A string never has more code points than UTF-16 units: most need no walk.
  if (text.length <= limit) return text.length;
  let count = 0;
  for (const _ of text) if (++count > limit) break;
  return count;
}
