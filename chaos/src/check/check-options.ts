/** What the run was set to, as far as the check depends on it. */
export interface CheckOptions {
  /** RECONCILE_INTERVAL_MS of the gateways. */
  reconcileIntervalMs: number;
  /** DELIVERY_WINDOW of the gateways. */
  window: number;
  /**
   * Without a fault a message that may be sent must have come by then. Generous where the machine is busy: a
   * message that never comes is found by any bound.
   */
  promptMs: number;
}

/** On top of what is waited for after a fault. */
const GRACE_MS = 2_000;

/** How long after a fault everything must be there: reconcile finds what was not routed. */
export function aftermathMs({ reconcileIntervalMs }: CheckOptions): number {
  return reconcileIntervalMs + GRACE_MS;
}
