/** How long Postgres may take before a call fails with an `OutageError`, in milliseconds. */
export interface DatabaseWaits {
  /** To open a connection, or to get one from the pool. */
  readonly connectMs: number;
  /** To get a lock, for statements that do not set their own limit (`lock-wait.ts`). */
  readonly lockMs: number;
  /** To run a statement, measured by the server. */
  readonly statementMs: number;
  /** To answer, measured by the client. */
  readonly queryMs: number;
}

/**
 * The server gives up first, then the client, then the caller at its own deadline. All of it happens within the two
 * seconds in which a request must be answered during an outage (PROTOCOL §4.8).
 */
export const DATABASE_WAITS: DatabaseWaits = {
  connectMs: 1_000,
  lockMs: 1_000,
  statementMs: 1_200,
  queryMs: 1_500,
};
