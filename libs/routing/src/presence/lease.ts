import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { LEASE_TTL_MS } from '../times';

/** What a gateway says of itself with its lease, for operators. Routing never reads it. */
export interface GatewayAbout {
  /** The machine or container. */
  host: string;
  pid: number;
  /** RFC 3339, by the gateway's clock. */
  startedAt: string;
  connections: number;
  users: number;
}

/** A gateway whose index entry is this old has been gone for long. */
const INDEX_TTL_MS = 3_600_000;

/** A gateway's short-lived key: without it, what the gateway said of presence does not count. */
export class Lease {
  readonly #redis: RedisConnection;
  readonly #key: string;
  readonly #index: string;
  readonly #gateway: string;
  readonly #about: () => GatewayAbout;

  constructor(redis: RedisConnection, keys: Keys, gateway: string, about: () => GatewayAbout) {
    this.#redis = redis;
    this.#key = keys.lease(gateway);
    this.#index = keys.gateways();
    this.#gateway = gateway;
    this.#about = about;
  }

  /**
   * Sets the lease for another while.
   * @returns false when it was missing: Redis lost it, or it ran out while this process was paused
   * @throws RedisOutageError
   */
  async renew(): Promise<boolean> {
    const now = Date.now();
    // The index is only for whoever looks: where its node is out of reach the lease counts all the same.
    const [before] = await Promise.all([
      this.#redis.run(['set', this.#key, JSON.stringify(this.#about()), 'PX', LEASE_TTL_MS, 'GET']),
      this.#redis.runAll([
        ['zadd', this.#index, now, this.#gateway],
        ['zremrangebyscore', this.#index, '-inf', now - INDEX_TTL_MS],
      ]),
    ]);
    return before !== null;
  }

  /** @throws RedisOutageError */
  async end(): Promise<void> {
    await Promise.all([
      this.#redis.run(['del', this.#key]),
      this.#redis.runAll([['zrem', this.#index, this.#gateway]]),
    ]);
  }
}
