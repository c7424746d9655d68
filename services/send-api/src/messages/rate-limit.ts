import { BURST_FACTOR } from '@posthorn/protocol';
import type { SendLimit } from '@posthorn/routing';
import { problem } from '@posthorn/runtime';

/** Takes sends off a user's budget; `SendLimiter` does. */
export interface Limiter {
  readonly burst: number;
  take(user: string): Promise<SendLimit>;
}

/** The rate limit headers of an answer. */
export type LimitHeaders = Map<string, string>;

/**
 * Takes one send off the budget of the user who calls, whomever the message is from. The headers are structured
 * fields: a quota of `q` per window of `w` seconds, of which `r` are left, and all of them again in `t` seconds.
 *
 * @returns the headers that every answer to a send carries; none where sends are not limited
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
