/** How long Postgres may take before a call fails with an `OutageError`, in milliseconds. */
export interface DatabaseWaits {
  /** To open a connection, or to get one of the pool. */
  readonly connectMs: number;
  /** To get a lock, for statements that set no time of their own (`lock-wait.ts`). */
  readonly lockMs: number;
  /** To run a statement, by the clock of the server. */
  readonly statementMs: number;
  /** To answer, by ours. */
  readonly queryMs: number;
}

/**
 * From the inside out: the server gives up first, then the client, then the caller's own deadline,
 * all within the two seconds in which an outage must be answered (PROTOCOL §4.8).
 */
export const DATABASE_WAITS: DatabaseWaits = {
  connectMs: 1_000,
  lockMs: 1_000,
  statementMs: 1_200,
  queryMs: 1_500,
};
