import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { isOutage } from '../redis/redis-node';
import { RedisOutageError } from '../redis/redis-outage-error';
import { PRESENCE_TTL_S } from '../times';
import type { LiveGateways } from './live-gateways';

/** How many connections of a user each live gateway holds. */
export type Holders = ReadonlyMap<string, number>;

/** A user, and how many of the user's connections a gateway holds. */
export interface Hold {
  user: string;
  count: number;
}

/** Who is online on which gateway. It reads the presence hashes together with the leases. */
export class Presence {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #gateways: LiveGateways;

  constructor(redis: RedisConnection, keys: Keys, gateways: LiveGateways) {
    this.#redis = redis;
    this.#keys = keys;
    this.#gateways = gateways;
  }

  /**
   * Stores how many connections of each user `gateway` holds, and returns all holders after that, in the same order.
   * Null for a user when Redis did not store it, or when the holders could not be read. Never throws.
   */
  async hold(gateway: string, holds: readonly Hold[]): Promise<(Holders | null)[]> {
    const replies = await this.#redis.runAll(
      holds.map(
        ({ user, count }) =>
          ['posthornHold', this.#keys.presence(user), gateway, count, PRESENCE_TTL_S] as const,
      ),
    );
    return await this.#countLive(replies.map((reply) => (reply instanceof Error ? null : countsFrom(reply))));
  }

  /** Who holds each user, in the order asked; null for a user when that is unreachable. Never throws. */
  async findHolders(users: readonly string[]): Promise<(Holders | null)[]> {
    const replies = await this.#redis.runAll(
      users.map((user) => ['hgetall', this.#keys.presence(user)] as const),
    );
    return await this.#countLive(
      replies.map((reply) => {
        if (isOutage(reply)) return null;
        // A key of another type is not ours, so nobody holds the user.
        return reply instanceof Error ? new Map() : countsFrom(Object.entries(reply).flat());
      }),
    );
  }

  /**
   * The users that a live gateway holds.
   * @throws RedisOutageError when the presence of one of them is unreachable
   */
  async findOnline(users: readonly string[]): Promise<Set<string>> {
    const holders = await this.findHolders(users);
    if (holders.includes(null)) throw new RedisOutageError('the presence of some users cannot be read');
    return new Set(users.filter((_, index) => (holders[index]?.size ?? 0) > 0));
  }

  /** Keeps the counts of live gateways. Null for a user if the lease of one gateway is unreachable. */
  async #countLive(counts: readonly (ReadonlyMap<string, number> | null)[]): Promise<(Holders | null)[]> {
    const { live, unknown } = await this.#gateways.findLive(
      counts.flatMap((count) => [...(count?.keys() ?? [])]),
    );
    return counts.map((count) => {
      if (count === null || [...count.keys()].some((id) => unknown.has(id))) return null;
      return new Map([...count].filter(([id, held]) => live.has(id) && held > 0));
    });
  }
}

function countsFrom(flat: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [id, count] = [flat[index], Number(flat[index + 1])];
    if (id !== undefined && Number.isSafeInteger(count)) counts.set(id, count);
  }
  return counts;
}
