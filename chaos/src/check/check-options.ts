/** The settings of the run that the check needs. */
export interface CheckOptions {
  /** RECONCILE_INTERVAL_MS of the gateways. */
  reconcileIntervalMs: number;
  /** DELIVERY_WINDOW of the gateways. */
  window: number;
  /**
   * Without a fault, a message that may be sent must arrive within this time. It is generous where the machine is
   * busy, because a message that never arrives fails any bound.
   */
  promptMs: number;
}

/** Added to the time that is allowed after a fault. */
const GRACE_MS = 2_000;

/** How long after a fault everything must have arrived, because reconcile finds what was not routed. */
export function aftermathMs({ reconcileIntervalMs }: CheckOptions): number {
  return reconcileIntervalMs + GRACE_MS;
}
