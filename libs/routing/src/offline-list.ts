import type { ListedEntry } from './envelope';
import { parseListedEntry } from './gateway-notice';
import type { Keys } from './keys';
import { executePipeline, type RedisConnection } from './redis-connection';

/** Through which `seq` all known devices of a user have acknowledged. */
export interface Trim {
  user: string;
  cursor: number;
  epoch: string;
}

/** A user's recent entries in Redis: a cache, read and trimmed, never consumed. */
export class OfflineList {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * About `limit` entries beyond `after`; what is no entry is left out.
   * @throws RedisOutageError
   */
  async read(user: string, after: number, limit: number): Promise<ListedEntry[]> {
    const texts = await this.#redis.run((redis) =>
      redis.posthornEntries(this.#keys.offline(user), after, limit),
    );
    return texts.map(parseListedEntry).filter((entry) => entry !== null);
  }

  /**
   * Those of `users` whose list has entries.
   * @throws RedisOutageError
   */
  async findNonEmpty(users: readonly string[]): Promise<string[]> {
    const lengths = await this.#redis.run((redis) => {
      const pipeline = redis.pipeline();
      for (const user of users) pipeline.llen(this.#keys.offline(user));
      return executePipeline<number>(pipeline);
    });
    return users.filter((_, index) => lengths[index] !== 0);
  }

  /**
   * Drops what no known device lacks.
   * @returns how many entries were dropped
   * @throws RedisOutageError
   */
  async trim(trims: readonly Trim[]): Promise<number> {
    const dropped = await this.#redis.run((redis) => {
      const pipeline = redis.pipeline();
      for (const { user, cursor, epoch } of trims)
        pipeline.posthornTrim(this.#keys.offline(user), cursor, epoch);
      return executePipeline<number>(pipeline);
    });
    return dropped.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
  }
}
