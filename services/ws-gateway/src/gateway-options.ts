import { DATABASE_WAITS, type DatabaseWaits, LOCK_WAITS } from '@posthorn/inbox';
import { LEASE_RENEW_MS, REDIS_WAITS, type RedisWaits } from '@posthorn/routing';

/** Bounds and times of a gateway that are no settings of operators. */
export interface GatewayOptions {
  /** Connects that wait for their device to be claimed; beyond it they are refused with `overloaded`. */
  readonly maxWaitingClaims: number;
  /** How long a connect waits for a device that another transaction has locked. */
  readonly maxLockedClaimMs: number;
  readonly databaseWaits: DatabaseWaits;
  readonly redisWaits: RedisWaits;
  readonly leaseRenewMs: number;
  /** Lists are trimmed within 5 s of an acknowledgement (PROTOCOL §6). */
  readonly trimIntervalMs: number;
  /** How long the head of a request may take to come. */
  readonly headersTimeoutMs: number;
  /** The clock of the connections, in ms. It never goes back, whatever is done to the clock on the wall. */
  readonly now: () => number;
}

/** As they are in production; a test sets those that it is about. */
export const gatewayDefaults: GatewayOptions = {
  maxWaitingClaims: 20_000,
  maxLockedClaimMs: LOCK_WAITS.laneMs,
  databaseWaits: DATABASE_WAITS,
  redisWaits: REDIS_WAITS,
  leaseRenewMs: LEASE_RENEW_MS,
  trimIntervalMs: 2_000,
  headersTimeoutMs: 10_000,
  // Whole ones: they cost a session no memory.
  now: () => Math.floor(performance.now()),
};
