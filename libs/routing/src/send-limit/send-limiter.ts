import { BURST_FACTOR } from '@posthorn/protocol';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { RedisOutageError } from '../redis/redis-outage-error';

/** Whether a send may go on, and what the rate limit headers say. */
export interface SendLimit {
  isAllowed: boolean;
  /** Sends left at once. */
  remaining: number;
  /** Until one is free; 0 when one is. */
  retryAfterMs: number;
}

/** Without Redis this many users are limited in this process at the same time; the longest unused goes first. */
const MAX_LOCAL_USERS = 10_000;

/**
 * Limits the sends of each user: a sustained rate with a burst, counted in Redis for all processes
 * together, and in this process alone while Redis is out of reach.
 */
export class SendLimiter {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #stepUs: number;
  /** Sends that may come at once. */
  readonly burst: number;
  /** What one turn of the event loop takes goes to Redis in one trip. */
  readonly #takes = new DataLoader((users: readonly string[]) => this.#takeAll(users), {
    cache: false,
    batchScheduleFn: setImmediate,
  });
  /** The theoretical arrival times in ms, as in the script. */
  readonly #local = new LRUCache<string, number>({ max: MAX_LOCAL_USERS });

  /** @param perSecond sustained sends per second; more than 0 */
  constructor(redis: RedisConnection, keys: Keys, perSecond: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#stepUs = 1_000_000 / perSecond;
    this.burst = perSecond * BURST_FACTOR;
  }

  /** Takes one send of the user's. Never throws: without Redis it counts by itself. */
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
