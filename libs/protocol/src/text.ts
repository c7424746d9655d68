/** Postgres stores neither U+0000 nor a lone surrogate, so texts with them are refused (PROTOCOL §4.1). */

/** True if `text` has neither U+0000 nor a lone surrogate. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Counts the Unicode code points in `text`. It stops at `limit` + 1. */
export function countCodePoints(text: string, limit: number): number {
  // A string never has more code points than UTF-16 units, so most strings need no loop.
  if (text.length <= limit) return text.length;
  let count = 0;
  for (const _ of text) if (++count > limit) break;
  return count;
}
