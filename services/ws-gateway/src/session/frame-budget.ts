import { BURST_FACTOR } from '@posthorn/protocol';

/** Limits the frames of one connection: a sustained rate with a burst, kept as one number (GCRA). */
export class FrameBudget {
  readonly #stepMs: number;
  readonly #toleranceMs: number;
  #arrivalMs = 0;

  /** @param perSecond sustained frames per second; 0 means no limit */
  constructor(perSecond: number) {
    this.#stepMs = perSecond > 0 ? 1000 / perSecond : 0;
    this.#toleranceMs = this.#stepMs * perSecond * BURST_FACTOR;
  }

  /** Counts one frame. Returns false if it is over the limit. */
  take(nowMs: number): boolean {
    if (this.#stepMs === 0) return true;
    const arrival = Math.max(this.#arrivalMs, nowMs) + this.#stepMs;
    if (arrival - nowMs > this.#toleranceMs) return false;
    this.#arrivalMs = arrival;
    return true;
  }
}
