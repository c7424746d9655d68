import type { RedisKind } from '../world/chaos-world';
import type { Site } from './site';

/** A claim with a bound, and what was seen of it. */
export interface Figure {
  what: string;
  bound: string;
  seen: string;
  isGood: boolean;
}

/** Breaks one thing in a world with the settings of production, and measures what clients see of it. */
export interface Measurement {
  name: string;
  what: string;
  /** The kinds of Redis that it means something on. */
  kinds: readonly RedisKind[];
  measure(site: Site): Promise<Figure[]>;
}

/** A figure in milliseconds that must not be above its bound; null: it never came. */
export function atMost(what: string, boundMs: number, seenMs: number | null): Figure {
  return {
    what,
    bound: `≤ ${boundMs} ms`,
    seen: seenMs === null ? 'never' : `${Math.round(seenMs)} ms`,
    isGood: seenMs !== null && seenMs <= boundMs,
  };
}

/** A count that must be 0, of so many. */
export function none(what: string, count: number, of: number): Figure {
  return { what, bound: '0', seen: `${count} of ${of}`, isGood: count === 0 && of > 0 };
}
