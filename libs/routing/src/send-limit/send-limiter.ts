import { BURST_FACTOR } from '@posthorn/protocol';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { RedisOutageError } from '../redis/redis-outage-error';

/** Whether a send is allowed, and the values for the rate limit headers. */
export interface SendLimit {
  isAllowed: boolean;
  /** How many more sends are allowed right now. */
  remaining: number;
  /** How long until the next send is allowed; 0 when it is allowed now. */
  retryAfterMs: number;
}

/** How many users are counted in this process while Redis is unreachable. The longest unused is forgotten first. */
const MAX_LOCAL_USERS = 10_000;

/**
 * Limits the sends of each user to a sustained rate with a burst. Redis counts them for all processes together. While
 * Redis is unreachable, each process counts by itself.
 */
export class SendLimiter {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #stepUs: number;
  /** Sends that may come at once. */
  readonly burst: number;
  /** Collects the sends of one turn of the event loop, so that they go to Redis in one trip. */
  readonly #takes = new DataLoader((users: readonly string[]) => this.#takeAll(users), {
    cache: false,
    batchScheduleFn: setImmediate,
  });
  /** Theoretical arrival times (GCRA), as in `take-send-script.ts` but in milliseconds. */
  readonly #local = new LRUCache<string, number>({ max: MAX_LOCAL_USERS });

  /** @param perSecond sustained sends per second; more than 0 */
  constructor(redis: RedisConnection, keys: Keys, perSecond: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#stepUs = 1_000_000 / perSecond;
    this.burst = perSecond * BURST_FACTOR;
  }

  /** Takes one send of a user. Never rejects, because without Redis it counts in this process. */
  take(user: string): Promise<SendLimit> {
    return this.#takes.load(user);
  }

  async #takeAll(users: readonly string[]): Promise<SendLimit[]> {
    const replies = await this.#redis.runAll(
      users.map((user) => ['posthornTakeSend', this.#keys.sends(user), this.#stepUs, this.burst] as const),
      this.#redis.waits.limitMs,
    );
    return users.map((user, index) => {
      const reply = replies[index] ?? new RedisOutageError('no reply');
      if (reply instanceof Error) return this.#takeLocally(user, Date.now());
      const [isAllowed, remaining, waitUs] = reply;
      return { isAllowed: isAllowed === 1, remaining, retryAfterMs: Math.ceil(waitUs / 1000) };
    });
  }

  #takeLocally(user: string, now: number): SendLimit {
    const step = this.#stepUs / 1000;
    const arrival = Math.max(this.#local.get(user) ?? 0, now) + step;
    const free = now + step * this.burst - arrival;
    if (free < 0) return { isAllowed: false, remaining: 0, retryAfterMs: Math.ceil(-free) };
    this.#local.set(user, arrival);
    return { isAllowed: true, remaining: Math.floor(free / step), retryAfterMs: 0 };
  }
}
