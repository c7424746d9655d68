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

/** What the keeper tells its gateway. */
interface PresenceListener {
  /** Redis had lost our lease, or came back: what was published meanwhile is lost. */
  onLost(): void;
  /** A user has more connections than allowed on all live gateways together. */
  onSurplus(user: string, holders: Holders): void;
}

/** What the keeper works with. */
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
  /** Milliseconds; never goes back. */
  now(): number;
}

const CHUNK = 500;
/** As for claims: the first at once, those that come together with others gather. */
const PACE_MS = 8;
/** Users whose presence is to be written again soon; beyond it only the slow round heals them. */
const MAX_DIRTY = 100_000;

/**
 * Keeps what this gateway says of presence true: who is held, the lease under which that counts, and both again
 * after Redis lost them. Counts are read from the table when they are written, so the last write is right.
 */
export class PresenceKeeper {
  readonly #options: PresenceKeeperOptions;
  readonly #holds: Batcher<string, Holders | null>;
  readonly #dirty = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;
  /** Those of the slow round that are still to come, how many at a time, and when it began. */
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

  /** True when the last renewal of the lease went through. */
  get isLeased(): boolean {
    return this.#isLeased;
  }

  /** Takes the lease, if Redis is there, and keeps it from now on. */
  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(() => void this.renew(), this.#options.renewMs);
  }

  /**
   * Writes how many connections of `user` are held now, and returns who holds the user then; null while Redis is
   * out of reach or refuses it: it is written when Redis takes it.
   */
  async announce(user: string): Promise<Holders | null> {
    const holders = await this.#holds.submit(user).catch((error: unknown) => {
      if (!(error instanceof OverloadedError)) throw error;
      return null;
    });
    if (holders === null) this.#announceLater(user);
    return holders;
  }

  /** Redis is back: whatever it still knows, everything is said again. */
  async reassert(): Promise<void> {
    await this.renew();
    await this.#assertAll();
  }

  /** Renews the lease; when it was missing, says everything again. */
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
        // Whoever read the lease as gone a moment ago may still remove what was just written.
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

  /** Ends the lease; the sessions are gone by now, and with them what was said of them. */
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

  /** Everybody held, and whoever is to be written again. */
  async #assertAll(): Promise<void> {
    const users = [...new Set([...this.#options.table.users(), ...this.#dirty])];
    this.#dirty.clear();
    for (let from = 0; from < users.length; from += CHUNK) {
      await Promise.all(users.slice(from, from + CHUNK).map((user) => this.announce(user)));
    }
  }

  /**
   * The dirty ones, and the next part of a slow round over all: it renews their life and heals partial loss. A round
   * begins when its time has come, however early the one before was through.
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
      // Redis refused it; or another gateway that is to end one may not have heard of it.
      this.#announceLater(user);
    }
    return holders;
  }

  /** With the next renewal of the lease. */
  #announceLater(user: string): void {
    if (this.#dirty.size < MAX_DIRTY) this.#dirty.add(user);
  }
}

/** The connections of a user on all live gateways together. */
export function total(holders: Holders): number {
  let sum = 0;
  for (const count of holders.values()) sum += count;
  return sum;
}
