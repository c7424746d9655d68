import { DATABASE_WAITS, type DatabaseWaits, LOCK_WAITS } from '@posthorn/inbox';
import { LEASE_RENEW_MS, REDIS_WAITS, type RedisWaits } from '@posthorn/routing';

/** Limits and times of a gateway that operators cannot set. */
export interface GatewayOptions {
  /** How many connects may wait for their claim. Further connects are refused with 503 `overloaded`. */
  readonly maxWaitingClaims: number;
  /** How long a connect waits for a device row that another transaction has locked. */
  readonly maxLockedClaimMs: number;
  readonly databaseWaits: DatabaseWaits;
  readonly redisWaits: RedisWaits;
  readonly leaseRenewMs: number;
  /** Lists are trimmed within 5 s of an acknowledgement (PROTOCOL §6). */
  readonly trimIntervalMs: number;
  /** How long the headers of a request may take to arrive. */
  readonly headersTimeoutMs: number;
  /** The clock of the connections, in ms. It is monotonic: changes of the system time do not affect it. */
  readonly now: () => number;
}

/** The values in production. A test overrides those that it is about. */
export const gatewayDefaults: GatewayOptions = {
  maxWaitingClaims: 20_000,
  maxLockedClaimMs: LOCK_WAITS.laneMs,
  databaseWaits: DATABASE_WAITS,
  redisWaits: REDIS_WAITS,
  leaseRenewMs: LEASE_RENEW_MS,
  trimIntervalMs: 2_000,
  headersTimeoutMs: 10_000,
  // Whole milliseconds, because V8 stores small integers without extra memory.
  now: () => Math.floor(performance.now()),
};
