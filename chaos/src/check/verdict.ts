/** What the system must keep, whatever happens (docs/RELIABILITY.md). */
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

/** An invariant that was broken: how often, and the first few cases in words. */
export interface Violation {
  invariant: Invariant;
  count: number;
  witnesses: string[];
}

/** What a run shows: valid, invalid, or unknown, when the run proves neither. */
export interface Verdict {
  verdict: 'valid' | 'invalid' | 'unknown';
  violations: Violation[];
  /** Why it is unknown. */
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
  /** Message frames sent again although the device had acknowledged them, in vain, as a share of the deliveries. */
  resent: number;
  duplicatesBelowCursor: number;
  lost: number;
  misdelivered: number;
  phantoms: number;
  inversions: number;
  gaps: number;
  faultsInjected: number;
  faultsProven: number;
  /** Share of send attempts answered 200 or 201, by whether a fault of Redis was on. */
  redisFaultSends: { total: number; ok: number; p99Ms: number };
  quietSends: { total: number; ok: number; p99Ms: number };
  /** The longest time from a 201 to the delivery at a device that was connected throughout, ms. */
  worstDeliveryMs: number;
}
