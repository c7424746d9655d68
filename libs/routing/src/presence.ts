import type { Keys } from './keys';
import type { LiveGateways } from './live-gateways';
import { executePipeline, type RedisConnection } from './redis-connection';
import { PRESENCE_TTL_S } from './times';

/** How many connections of a user each live gateway holds. */
export type Holders = ReadonlyMap<string, number>;

/** A user and how many connections the asking gateway holds of it. */
export interface Hold {
  user: string;
  count: number;
}

/** Who is online where: the presence hashes, read with the leases. */
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
   * Says how many connections of each user `gateway` holds, and returns who holds them then; null for each that Redis
   * refused to write.
   * @throws RedisOutageError
   */
  async hold(gateway: string, holds: readonly Hold[]): Promise<(Holders | null)[]> {
    const replies = await this.#redis.run((redis) => {
      const pipeline = redis.pipeline();
      for (const { user, count } of holds) {
        pipeline.posthornHold(this.#keys.presence(user), gateway, count, PRESENCE_TTL_S);
      }
      return executePipeline<string[]>(pipeline);
    });
    const counts = replies.map((reply) => (Array.isArray(reply) ? countsFrom(reply) : null));
    const holders = await this.#countLive(counts.map((count) => count ?? new Map()));
    return holders.map((held, index) => (counts[index] === null ? null : held));
  }

  /**
   * Who holds each user.
   * @throws RedisOutageError
   */
  async findHolders(users: readonly string[]): Promise<Holders[]> {
    const replies = await this.#redis.run((redis) => {
      const pipeline = redis.pipeline();
      for (const user of users) pipeline.hgetall(this.#keys.presence(user));
      return executePipeline<Record<string, string>>(pipeline);
    });
    return await this.#countLive(
      replies.map((reply) => (reply instanceof Error ? new Map() : countsFrom(Object.entries(reply).flat()))),
    );
  }

  /**
   * Those of `users` whom a live gateway holds.
   * @throws RedisOutageError
   */
  async findOnline(users: readonly string[]): Promise<Set<string>> {
    const holders = await this.findHolders(users);
    return new Set(users.filter((_, index) => (holders[index]?.size ?? 0) > 0));
  }

  async #countLive(counts: ReadonlyMap<string, number>[]): Promise<Holders[]> {
    const live = await this.#gateways.findLive(counts.flatMap((count) => [...count.keys()]));
    return counts.map((count) => new Map([...count].filter(([id, held]) => live.has(id) && held > 0)));
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
