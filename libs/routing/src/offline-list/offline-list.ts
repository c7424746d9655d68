import type { ListedEntry } from '../channel/envelope';
import { parseListedEntry } from '../channel/gateway-notice';
import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { isOutage } from '../redis/redis-node';

/** The lowest cursor of a user's devices: all of them have acknowledged up to this `seq`. */
export interface Trim {
  user: string;
  cursor: number;
  epoch: string;
}

/** A user's recent entries in Redis. It is a cache: reading an entry does not remove it. */
export class OfflineList {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Reads about `limit` entries after `after`. Anything that is not a valid entry is left out.
   * @throws RedisOutageError
   */
  async read(user: string, after: number, limit: number): Promise<ListedEntry[]> {
    const texts = await this.#redis.run(['posthornEntries', this.#keys.offline(user), after, limit]);
    return texts.map(parseListedEntry).filter((entry) => entry !== null);
  }

  /**
   * Counts the entries of a user's list.
   * @throws RedisOutageError
   */
  async count(user: string): Promise<number> {
    return await this.#redis.run(['llen', this.#keys.offline(user)]);
  }

  /** Finds the users whose list has entries (`waiting`), and those whose list was unreachable. Never throws. */
  async findNonEmpty(users: readonly string[]): Promise<{ waiting: string[]; unreached: string[] }> {
    const lengths = await this.#redis.runAll(
      users.map((user) => ['llen', this.#keys.offline(user)] as const),
    );
    return {
      waiting: users.filter((_, index) => !isOutage(lengths[index]) && lengths[index] !== 0),
      unreached: users.filter((_, index) => isOutage(lengths[index])),
    };
  }

  /** Drops entries that every known device has. Returns how many, and whose lists were unreachable. Never throws. */
  async trim(trims: readonly Trim[]): Promise<{ dropped: number; unreached: string[] }> {
    const replies = await this.#redis.runAll(
      trims.map(
        ({ user, cursor, epoch }) => ['posthornTrim', this.#keys.offline(user), cursor, epoch] as const,
      ),
    );
    return {
      dropped: replies.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0),
      unreached: trims.filter((_, index) => isOutage(replies[index])).map(({ user }) => user),
    };
  }
}
