import { REDIS_WAITS } from '@posthorn/routing';
import type { SendApiWaits } from '../src/send-api-waits';

/** Nothing waits so long: a test that is about a wait chooses that. */
export const LONG_MS = 600_000;

/** No test fails because a store is slow, since the machine is. */
export const PATIENT: SendApiWaits = {
  postgresMs: LONG_MS,
  lockedRowMs: LONG_MS,
  database: { statementMs: LONG_MS, lockMs: LONG_MS, queryMs: LONG_MS, connectMs: LONG_MS },
  redis: { ...REDIS_WAITS, commandMs: LONG_MS, limitMs: LONG_MS, routeMs: LONG_MS, livenessMs: LONG_MS },
};
