import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { LIVENESS_MAX_AGE_MS } from '../times';

interface Liveness {
  /** When the lease was first found missing; null while it exists. In milliseconds since 1970. */
  goneSince: number | null;
  readAt: number;
  usedAt: number;
}

/** Which gateways count, in the form that the route script takes: ids between spaces. */
export interface LivenessWords {
  live: string;
  /** Gateways without a lease. They do not count. */
  absent: string;
  /** Gateways without a lease for so long that the presence they stored may be removed. */
  dead: string;
}

const FORGET_AFTER_MS = 120_000;
/** A gateway that was only paused comes back with the same id. Its presence is not removed before this time. */
const DEAD_AFTER_MS = 60_000;

/**
 * Knows which gateways are live, by their leases. It reads a lease once the id is met in a user's presence, and then
 * again at most every second while the id is in use. An id that was never met is unknown and not dead.
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

  /** What is known, at most a second old. If a lease is unreachable, its last known state stays. Never throws. */
  async words(waitMs = this.#redis.waits.livenessMs): Promise<LivenessWords> {
    const now = Date.now();
    const stale = [...this.#known].filter(([, liveness]) => now - liveness.readAt >= LIVENESS_MAX_AGE_MS);
    if (stale.length > 0)
      await this.#refresh(
        stale.map(([id]) => id),
        Math.min(waitMs, this.#redis.waits.livenessMs),
      );
    const words: LivenessWords = { live: ' ', absent: ' ', dead: ' ' };
    for (const [id, { goneSince, readAt }] of this.#known) {
      const kind = goneSince === null ? 'live' : readAt - goneSince < DEAD_AFTER_MS ? 'absent' : 'dead';
      words[kind] += `${id} `;
    }
    return words;
  }

  /** The live ones among `ids`, and those whose lease is unreachable (`unknown`). Never throws. */
  async findLive(ids: Iterable<string>): Promise<{ live: Set<string>; unknown: Set<string> }> {
    const asked = [...new Set(ids)];
    const now = Date.now();
    this.markUsed(asked);
    const isFresh = (id: string): boolean => now - (this.#known.get(id)?.readAt ?? 0) < LIVENESS_MAX_AGE_MS;
    const stale = asked.filter((id) => !isFresh(id));
    if (stale.length > 0) await this.read(stale);
    return {
      live: new Set(asked.filter((id) => isFresh(id) && this.#known.get(id)?.goneSince === null)),
      unknown: new Set(asked.filter((id) => !isFresh(id))),
    };
  }

  /** Reads leases now. If a lease is unreachable, its last known state stays. Never throws. */
  async read(ids: readonly string[], waitMs?: number): Promise<void> {
    this.#forgetUnused();
    const replies = await this.#redis.runAll(
      ids.map((id) => ['exists', this.#keys.lease(id)] as const),
      waitMs,
    );
    const now = Date.now();
    for (const [index, id] of ids.entries()) {
      const reply = replies[index];
      if (reply === undefined || reply instanceof Error) continue;
      const before = this.#known.get(id);
      const goneSince = reply === 1 ? null : (before?.goneSince ?? now);
      this.#known.set(id, { goneSince, readAt: now, usedAt: before?.usedAt ?? now });
    }
  }

  /** Notes that these ids were just met in a user's presence. */
  markUsed(ids: Iterable<string>): void {
    const now = Date.now();
    for (const id of ids) {
      const liveness = this.#known.get(id);
      if (liveness !== undefined) liveness.usedAt = now;
    }
  }

  /** Forgets ids that were not met for two minutes. This bounds the map. */
  #forgetUnused(): void {
    const now = Date.now();
    for (const [id, { usedAt }] of this.#known) if (now - usedAt >= FORGET_AFTER_MS) this.#known.delete(id);
  }

  /** One refresh at a time. */
  async #refresh(ids: readonly string[], waitMs: number): Promise<void> {
    this.#forgetUnused();
    const inUse = ids.filter((id) => this.#known.has(id));
    if (inUse.length === 0) return;
    this.#refreshing ??= this.read(inUse, waitMs).finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }
}
