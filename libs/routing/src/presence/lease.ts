import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { LEASE_TTL_MS } from '../times';

/** What a gateway stores about itself in its lease, for operators. Routing never reads it. */
export interface GatewayAbout {
  /** The machine or container. */
  host: string;
  pid: number;
  /** RFC 3339, by the gateway's clock. */
  startedAt: string;
  connections: number;
  users: number;
}

/** Index entries that are older are removed: such a gateway has been gone for long. */
const INDEX_TTL_MS = 3_600_000;

/** A gateway's short-lived key. Without it, the presence that the gateway stored does not count. */
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
   * Sets the lease to end in `LEASE_TTL_MS`.
   * @returns false when there was no lease: this is the first one, Redis lost it, or it ended while we were paused
   * @throws RedisOutageError
   */
  async renew(): Promise<boolean> {
    const now = Date.now();
    // The index is only for operators. The lease counts even if the node of the index is unreachable.
    const [before] = await Promise.all([
      this.#redis.run(['set', this.#key, JSON.stringify(this.#about()), 'PX', LEASE_TTL_MS, 'GET']),
      this.#redis.runAll([
        ['zadd', this.#index, now, this.#gateway],
        ['zremrangebyscore', this.#index, '-inf', now - INDEX_TTL_MS],
      ]),
    ]);
    return before !== null;
  }

  /**
   * Ends the lease.
   * @throws RedisOutageError
   */
  async end(): Promise<void> {
    await Promise.all([
      this.#redis.run(['del', this.#key]),
      this.#redis.runAll([['zrem', this.#index, this.#gateway]]),
    ]);
  }
}
