import { BURST_FACTOR } from '@posthorn/protocol';
import type { SendLimit } from '@posthorn/routing';
import { problem } from '@posthorn/runtime';

/** Counts sends against a user's budget, as `SendLimiter` does. */
export interface Limiter {
  readonly burst: number;
  take(user: string): Promise<SendLimit>;
}

/** The rate limit headers of an answer. */
export type LimitHeaders = Map<string, string>;

/**
 * Counts one send for the caller, also if `from` names somebody else (PROTOCOL §4.3). The headers are
 * structured fields: a quota of `q` sends per window of `w` seconds. `r` sends are left, and all are available again in
 * `t` seconds.
 *
 * @returns the headers that every answer to a send carries; none if sends are not limited
 * @throws Problem rate_limited
 */
export async function takeSend(limiter: Limiter | null, user: string): Promise<LimitHeaders> {
  if (limiter === null) return UNLIMITED;
  const { isAllowed, remaining, retryAfterMs } = await limiter.take(user);
  const retryAfterS = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const fullInS = Math.ceil(((limiter.burst - remaining) / limiter.burst) * BURST_FACTOR);
  const headers = new Map([
    ['RateLimit', `"sends";r=${remaining};t=${isAllowed ? fullInS : retryAfterS}`],
    ['RateLimit-Policy', `"sends";q=${limiter.burst};w=${BURST_FACTOR}`],
  ]);
  if (isAllowed) return headers;
  throw problem('rate_limited', {
    headers: { ...Object.fromEntries(headers), 'Retry-After': String(retryAfterS) },
  });
}

const UNLIMITED: LimitHeaders = new Map();
