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
/** How long one step may wait for Redis. A send takes two: its limit and its route, within 500 ms. */
export const COMMAND_WAIT_MS = 250;
export const LIMIT_WAIT_MS = 150;
export const ROUTE_WAIT_MS = 300;
/** Of the time of a route, for leases: one that is out of reach leaves the others theirs. */
export const LIVENESS_WAIT_MS = 100;
/** The subscriber is pinged and the channel probed this often; two misses and it connects anew. */
export const WATCHDOG_MS = 1_000;
export const PROBE_MS = 3_000;
