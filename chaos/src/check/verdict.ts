/** The invariants that must always hold (docs/RELIABILITY.md). */
export type Invariant =
  | 'no loss'
  | 'no phantom'
  | 'no misdelivery'
  | 'sequence agreement'
  | 'idempotency'
  | 'order'
  | 'no silent gap'
  | 'receipts'
  | 'store'
  | 'sessions'
  | 'liveness'
  | 'clean end'
  | 'processes'
  | 'cursor safety';

/** A broken invariant: how often, and the first few cases in words. */
export interface Violation {
  invariant: Invariant;
  count: number;
  witnesses: string[];
}

/** The result of a run: valid, invalid, or unknown if the run proves neither. */
export interface Verdict {
  verdict: 'valid' | 'invalid' | 'unknown';
  violations: Violation[];
  /** Why the verdict is unknown. */
  doubts: string[];
  counts: Counts;
}

/** The figures of a run. */
export interface Counts {
  attempts: number;
  acknowledged: number;
  /** Unknown outcomes that turned out to be committed. */
  recovered: number;
  refused: number;
  deliveries: number;
  /**
   * The share of deliveries that were repeated although the device had acknowledged them. Those acknowledgements had
   * no effect.
   */
  resent: number;
  duplicatesBelowCursor: number;
  lost: number;
  misdelivered: number;
  phantoms: number;
  inversions: number;
  gaps: number;
  faultsInjected: number;
  faultsProven: number;
  /**
   * Sends during faults of Redis, and in quiet periods: all attempts, those answered with 200 or 201, and their p99.
   */
  redisFaultSends: { total: number; ok: number; p99Ms: number };
  quietSends: { total: number; ok: number; p99Ms: number };
  /** The longest time from a 201 to the delivery to a device that was connected throughout, in ms. */
  worstDeliveryMs: number;
}
