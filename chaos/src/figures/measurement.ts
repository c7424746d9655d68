import type { RedisKind } from '../world/chaos-world';
import type { Site } from './site';

/** A claim with a bound, and the measured value. */
export interface Figure {
  what: string;
  bound: string;
  seen: string;
  isGood: boolean;
}

/** Breaks one thing in a world with production settings, and measures what clients notice. */
export interface Measurement {
  name: string;
  what: string;
  /** The kinds of Redis for which it makes sense. */
  kinds: readonly RedisKind[];
  measure(site: Site): Promise<Figure[]>;
}

/** A figure in milliseconds with an upper bound; null if it never came. */
export function atMost(what: string, boundMs: number, seenMs: number | null): Figure {
  return {
    what,
    bound: `≤ ${boundMs} ms`,
    seen: seenMs === null ? 'never' : `${Math.round(seenMs)} ms`,
    isGood: seenMs !== null && seenMs <= boundMs,
  };
}

/** A count that must be 0, out of `of`. */
export function none(what: string, count: number, of: number): Figure {
  return { what, bound: '0', seen: `${count} of ${of}`, isGood: count === 0 && of > 0 };
}
