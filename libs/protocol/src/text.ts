/** What strings can be stored and given back exactly: Postgres takes neither U+0000 nor half a surrogate pair. */

/** True when `text` holds neither U+0000 nor a lone surrogate. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The number of Unicode code points in `text`, counted up to `limit` + 1. */
export function countCodePoints(text: string, limit: number): number {
  // A string never has more code points than UTF-16 units: most need no walk.
  if (text.length <= limit) return text.length;
  let count = 0;
  for (const _ of text) if (++count > limit) break;
  return count;
}
