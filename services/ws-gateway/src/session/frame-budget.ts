import { BURST_FACTOR } from '@posthorn/protocol';

/** The frames that one connection may send: a sustained rate with a burst, as one number (GCRA). */
export class FrameBudget {
  readonly #stepMs: number;
  readonly #toleranceMs: number;
  #arrivalMs = 0;

  /** @param perSecond sustained frames per second; 0 is no limit */
  constructor(perSecond: number) {
    this.#stepMs = perSecond > 0 ? 1000 / perSecond : 0;
    this.#toleranceMs = this.#stepMs * perSecond * BURST_FACTOR;
  }

  /** True when one more frame is within the limit. */
  take(nowMs: number): boolean {
    if (this.#stepMs === 0) return true;
    const arrival = Math.max(this.#arrivalMs, nowMs) + this.#stepMs;
    if (arrival - nowMs > this.#toleranceMs) return false;
    this.#arrivalMs = arrival;
    return true;
  }
}
