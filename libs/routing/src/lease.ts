import type { Keys } from './keys';
import type { RedisConnection } from './redis-connection';
import { LEASE_TTL_MS } from './times';

/** A gateway's short-lived key: without it, what the gateway said of presence does not count. */
export class Lease {
  readonly #redis: RedisConnection;
  readonly #key: string;

  constructor(redis: RedisConnection, keys: Keys, gateway: string) {
    this.#redis = redis;
    this.#key = keys.lease(gateway);
  }

  /**
   * Sets the lease for another while.
   * @returns false when it was missing: Redis lost it, or it ran out while this process was paused
   * @throws RedisOutageError
   */
  async renew(): Promise<boolean> {
    const before = await this.#redis.run(['set', this.#key, '1', 'PX', LEASE_TTL_MS, 'GET']);
    return before !== null;
  }

  /** @throws RedisOutageError */
  async end(): Promise<void> {
    await this.#redis.run(['del', this.#key]);
  }
}
