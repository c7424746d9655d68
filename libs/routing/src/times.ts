/** How long things live and wait in Redis; together they keep the promises of PROTOCOL §6. */

/** A lease ends this long after its gateway last renewed it: within the 15 s in which presence heals. */
export const LEASE_TTL_MS = 10_000;
/** How often a gateway renews its lease, and with it notices that Redis lost it. */
export const LEASE_RENEW_MS = 3_000;
/** What is known of a gateway's life is at most this old when it is used. */
export const LIVENESS_MAX_AGE_MS = 1_000;
/** The life of a presence hash, and within which time a gateway asserts each of its users anew. */
export const PRESENCE_TTL_S = 86_400;
export const PRESENCE_ROUND_MS = 3_600_000;
/** How long a process waits for Redis before it goes on without an answer. */
export interface RedisWaits {
  /** One step, unless one of the others is meant. The limits of a connection are multiples of it. */
  readonly commandMs: number;
  /** A send takes two steps, its limit and its route, within 500 ms. */
  readonly limitMs: number;
  readonly routeMs: number;
  /** Of the time of a route, for leases: one that is out of reach leaves the others theirs. */
  readonly livenessMs: number;
  /** A node whose breaker is open is tried again after this. */
  readonly halfOpenMs: number;
}

export const REDIS_WAITS: RedisWaits = {
  commandMs: 250,
  limitMs: 150,
  routeMs: 300,
  livenessMs: 100,
  halfOpenMs: 500,
};
/** The subscriber is pinged and the channel probed this often; two misses and it connects anew. */
export const WATCHDOG_MS = 1_000;
export const PROBE_MS = 3_000;
