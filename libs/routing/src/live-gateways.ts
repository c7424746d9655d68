import type { Keys } from './keys';
import { executePipeline, type RedisConnection } from './redis-connection';
import { LIVENESS_MAX_AGE_MS } from './times';

interface Liveness {
  /** Since when the lease was always found gone; null while it is there. */
  goneSince: number | null;
  readAt: number;
  usedAt: number;
}

/** Which gateways to count, as the route script takes it: ids between spaces. */
export interface LivenessWords {
  live: string;
  /** Without a lease: they do not count. */
  absent: string;
  /** Without a lease for so long that what they said of presence may be removed. */
  dead: string;
}

const FORGET_AFTER_MS = 120_000;
/** A gateway that was only paused comes back under its id: what it said is not removed before this. */
const DEAD_AFTER_MS = 60_000;

/**
 * Which gateways live, by their leases. A gateway is asked after once its id is met in somebody's presence,
 * then again at most every second while it is in use. An id that was not met yet is unknown, never dead.
 */
export class LiveGateways {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #known = new Map<string, Liveness>();
  #refreshing: Promise<void> | null = null;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * What is known, none of it older than a second.
   * @throws RedisOutageError
   */
  async words(waitMs?: number): Promise<LivenessWords> {
    const now = Date.now();
    const stale = [...this.#known].filter(([, liveness]) => now - liveness.readAt >= LIVENESS_MAX_AGE_MS);
    if (stale.length > 0)
      await this.#refresh(
        stale.map(([id]) => id),
        waitMs,
      );
    const words: LivenessWords = { live: ' ', absent: ' ', dead: ' ' };
    for (const [id, { goneSince }] of this.#known) {
      const kind = goneSince === null ? 'live' : now - goneSince < DEAD_AFTER_MS ? 'absent' : 'dead';
      words[kind] += `${id} `;
    }
    return words;
  }

  /**
   * The ids of those that live.
   * @throws RedisOutageError
   */
  async findLive(ids: Iterable<string>): Promise<Set<string>> {
    const asked = [...new Set(ids)];
    const now = Date.now();
    const unknown = asked.filter((id) => now - (this.#known.get(id)?.readAt ?? 0) >= LIVENESS_MAX_AGE_MS);
    if (unknown.length > 0) await this.read(unknown);
    return new Set(asked.filter((id) => this.#known.get(id)?.goneSince === null));
  }

  /**
   * Reads leases now.
   * @throws RedisOutageError
   */
  async read(ids: readonly string[], waitMs?: number): Promise<void> {
    const replies = await this.#redis.run((redis) => {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.exists(this.#keys.lease(id));
      return executePipeline<number>(pipeline);
    }, waitMs);
    const now = Date.now();
    for (const [index, id] of ids.entries()) {
      const before = this.#known.get(id);
      const goneSince = replies[index] === 1 ? null : (before?.goneSince ?? now);
      this.#known.set(id, { goneSince, readAt: now, usedAt: before?.usedAt ?? now });
    }
  }

  /** The gateway was met in somebody's presence just now. */
  markUsed(ids: Iterable<string>): void {
    const now = Date.now();
    for (const id of ids) {
      const liveness = this.#known.get(id);
      if (liveness !== undefined) liveness.usedAt = now;
    }
  }

  /** One refresh at a time; what nobody met for two minutes is forgotten, which bounds the map. */
  async #refresh(ids: readonly string[], waitMs?: number): Promise<void> {
    const now = Date.now();
    const inUse = ids.filter((id) => {
      const isInUse = now - (this.#known.get(id)?.usedAt ?? 0) < FORGET_AFTER_MS;
      if (!isInUse) this.#known.delete(id);
      return isInUse;
    });
    if (inUse.length === 0) return;
    this.#refreshing ??= this.read(inUse, waitMs).finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }
}
