import { Batcher, OverloadedError } from '@posthorn/inbox';
import {
  type Holders,
  type Lease,
  LIVENESS_MAX_AGE_MS,
  PRESENCE_ROUND_MS,
  type Presence,
  RedisOutageError,
} from '@posthorn/routing';
import type { Logger } from '@posthorn/runtime';
import type { ConnectionTable } from './connection-table';

/** What the keeper reports to its gateway. */
interface PresenceListener {
  /** The lease was missing in Redis. Notices that were published during that time are lost. */
  onLost(): void;
  /** A user has too many connections, counted over all live gateways. */
  onSurplus(user: string, holders: Holders): void;
}

/** What the keeper needs. */
export interface PresenceKeeperOptions {
  gateway: string;
  presence: Presence;
  lease: Lease;
  table: ConnectionTable;
  maxConnectionsPerUser: number;
  /** How often the lease is renewed. */
  renewMs: number;
  log: Logger;
  listener: PresenceListener;
  /** A monotonic clock, in ms. */
  now(): number;
}

const CHUNK = 500;
/** The first user is written at once. Users that follow closely gather for this long. */
const PACE_MS = 8;
/** How many users may wait to be written again soon. The others wait for the slow round. */
const MAX_DIRTY = 100_000;

/**
 * Keeps this gateway's presence in Redis correct: which users it holds, and the lease without which that does not
 * count. It writes both again after Redis lost them. Counts are read from the table at the moment of the write, so the
 * last write is always right.
 */
export class PresenceKeeper {
  readonly #options: PresenceKeeperOptions;
  readonly #holds: Batcher<string, Holders | null>;
  readonly #dirty = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;
  /** The slow round: the users that remain, how many to write per step, and when it began. */
  #round: string[] = [];
  #roundShare = 0;
  #roundAtMs: number;
  #hasLease = false;
  #isLeased = false;
  #isStopped = false;

  constructor(options: PresenceKeeperOptions) {
    this.#options = options;
    this.#roundAtMs = options.now();
    this.#holds = new Batcher({
      name: 'presence',
      maxBatch: CHUNK,
      maxPending: 100_000,
      concurrency: 4,
      paceMs: PACE_MS,
      run: async (users) => this.#write(users),
    });
  }

  /** True if the last renewal of the lease succeeded. */
  get isLeased(): boolean {
    return this.#isLeased;
  }

  /** Takes the lease if Redis is reachable, and renews it every `renewMs` from now on. */
  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(() => void this.renew(), this.#options.renewMs);
  }

  /**
   * Writes how many connections of `user` this gateway holds now, and returns all gateways that hold the user. Returns
   * null while Redis is unreachable or refuses the write. Then the user is written again with the next lease renewal.
   */
  async announce(user: string): Promise<Holders | null> {
    const holders = await this.#holds.submit(user).catch((error: unknown) => {
      if (!(error instanceof OverloadedError)) throw error;
      return null;
    });
    if (holders === null) this.#announceLater(user);
    return holders;
  }

  /** Redis is back. Writes everything again, whatever Redis still knows. */
  async reassert(): Promise<void> {
    await this.renew();
    await this.#assertAll();
  }

  /** Renews the lease. If it was missing, writes everything again. */
  async renew(): Promise<void> {
    if (this.#isStopped) return;
    try {
      const wasThere = await this.#options.lease.renew();
      const isFirst = !this.#hasLease;
      this.#hasLease = true;
      this.#isLeased = true;
      if (!wasThere) {
        if (!isFirst) this.#options.log.warn('Redis had lost the lease', { gateway: this.#options.gateway });
        await this.#assertAll();
        this.#options.listener.onLost();
        // A process that saw no lease a moment ago may still remove what was just written. So write it again later.
        this.#again ??= setTimeout(() => {
          this.#again = null;
          void this.#assertAll();
        }, 2 * LIVENESS_MAX_AGE_MS);
      } else {
        await this.#assertShare();
      }
    } catch (error) {
      this.#isLeased = false;
      if (!(error instanceof RedisOutageError)) throw error;
    }
  }

  /** Ends the lease. The sessions have ended before, and their presence was withdrawn. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#holds.idle();
    try {
      await this.#options.lease.end();
    } catch (error) {
      if (!(error instanceof RedisOutageError)) throw error;
    }
  }

  /** Writes all users that this gateway holds, and those that wait to be written again. */
  async #assertAll(): Promise<void> {
    const users = [...new Set([...this.#options.table.users(), ...this.#dirty])];
    this.#dirty.clear();
    for (let from = 0; from < users.length; from += CHUNK) {
      await Promise.all(users.slice(from, from + CHUNK).map((user) => this.announce(user)));
    }
  }

  /**
   * Writes the users that wait to be written again, and the next share of the slow round. The slow round covers all
   * users: it renews the lifetime of their keys and repairs partial loss. A round starts every `PRESENCE_ROUND_MS`,
   * even if the previous one ended early.
   */
  async #assertShare(): Promise<void> {
    const now = this.#options.now();
    if (this.#round.length === 0 && now - this.#roundAtMs >= PRESENCE_ROUND_MS) {
      this.#roundAtMs = now;
      this.#round = [...this.#options.table.users()];
      this.#roundShare = Math.ceil(this.#round.length / (PRESENCE_ROUND_MS / this.#options.renewMs));
    }
    const users = [...this.#round.splice(0, this.#roundShare), ...this.#dirty];
    this.#dirty.clear();
    await Promise.all(users.map((user) => this.announce(user)));
  }

  async #write(users: readonly string[]): Promise<(Holders | null)[]> {
    const { table, presence, gateway, listener, maxConnectionsPerUser } = this.#options;
    const holds = users.map((user) => ({ user, count: table.count(user) }));
    const holders = await presence.hold(gateway, holds);
    for (const [index, user] of users.entries()) {
      const held = holders[index] ?? null;
      if (held !== null && total(held) <= maxConnectionsPerUser) continue;
      if (held !== null) listener.onSurplus(user, held);
      // Redis refused the write, or another gateway may have missed the notice to end a connection. Write again.
      this.#announceLater(user);
    }
    return holders;
  }

  /** Writes the user again with the next renewal of the lease. */
  #announceLater(user: string): void {
    if (this.#dirty.size < MAX_DIRTY) this.#dirty.add(user);
  }
}

/** The number of a user's connections on all live gateways. */
export function total(holders: Holders): number {
  let sum = 0;
  for (const count of holders.values()) sum += count;
  return sum;
}
