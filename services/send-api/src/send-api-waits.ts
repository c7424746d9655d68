import { DATABASE_WAITS, type DatabaseWaits, LOCK_WAITS } from '@posthorn/inbox';
import { REDIS_WAITS, type RedisWaits } from '@posthorn/routing';

/** How long requests wait for the stores. Operators cannot change it: PROTOCOL §4.8 promises answers within 2 s. */
export interface SendApiWaits {
  /** The total wait for Postgres, in ms. */
  readonly postgresMs: number;
  /** The part of it for a row that another transaction has locked, in ms. */
  readonly lockedRowMs: number;
  /** The waits of single connections and statements. */
  readonly database: DatabaseWaits;
  readonly redis: RedisWaits;
}

/** The values in production. A test overrides those that it is about. */
export const SEND_API_WAITS: SendApiWaits = {
  // This leaves time to answer within the promised 2 s.
  postgresMs: 1_700,
  lockedRowMs: LOCK_WAITS.laneMs,
  database: DATABASE_WAITS,
  redis: REDIS_WAITS,
};
