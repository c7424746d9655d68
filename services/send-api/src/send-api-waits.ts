import { DATABASE_WAITS, type DatabaseWaits, LOCK_WAITS } from '@posthorn/inbox';
import { REDIS_WAITS, type RedisWaits } from '@posthorn/routing';

/** How long requests wait for the stores. Operators cannot change it: PROTOCOL §4.8 promises an answer in time. */
export interface SendApiWaits {
  /** For Postgres in all, in ms. */
  readonly postgresMs: number;
  /** Of that, for a row that another transaction has locked. */
  readonly lockedRowMs: number;
  /** Of single connections and statements. */
  readonly database: DatabaseWaits;
  readonly redis: RedisWaits;
}

/** As they are in production; a test chooses those that it is about. */
export const SEND_API_WAITS: SendApiWaits = {
  // Leaves room for an answer within the promised two seconds.
  postgresMs: 1_700,
  lockedRowMs: LOCK_WAITS.laneMs,
  database: DATABASE_WAITS,
  redis: REDIS_WAITS,
};
