/** How long keys in Redis live, and how long we wait for Redis. Together these keep the promises of PROTOCOL §6. */

/**
 * A lease ends this long after its last renewal. It is less than the 15 s within which presence must be right again.
 */
export const LEASE_TTL_MS = 10_000;
/** How often a gateway renews its lease. The renewal also notices when Redis has lost the lease. */
export const LEASE_RENEW_MS = 3_000;
/** Whether a gateway is live is read again when the last reading is this old. */
export const LIVENESS_MAX_AGE_MS = 1_000;
/** The life of a presence hash. A gateway stores the presence of each of its users again once per round. */
export const PRESENCE_TTL_S = 86_400;
export const PRESENCE_ROUND_MS = 3_600_000;
/** How long a process waits for Redis before it goes on without an answer. */
export interface RedisWaits {
  /** One step, unless one of the others applies. The timeouts of a connection are multiples of it. */
  readonly commandMs: number;
  /** The check of the send limit. A send takes this step and `routeMs`, together less than 500 ms. */
  readonly limitMs: number;
  readonly routeMs: number;
  /** The part of `routeMs` for reading leases, so that an unreachable lease leaves time for the other steps. */
  readonly livenessMs: number;
  /** After this time, a node whose breaker is open is tried again. */
  readonly halfOpenMs: number;
}

export const REDIS_WAITS: RedisWaits = {
  commandMs: 250,
  limitMs: 150,
  routeMs: 300,
  livenessMs: 100,
  halfOpenMs: 500,
};
/** How often a gateway pings its subscriber and probes its channel. After two misses it reconnects. */
export const WATCHDOG_MS = 1_000;
export const PROBE_MS = 3_000;
