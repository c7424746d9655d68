import type { Invariant, Violation } from './verdict';

const MAX_WITNESSES = 10;

/** What the check of one invariant found: how many cases, and the first few of them in words. */
export class Findings {
  readonly #witnesses: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** One more case, told so that the events can be found in the history. */
  add(witness: string): void {
    this.#count++;
    if (this.#witnesses.length < MAX_WITNESSES) this.#witnesses.push(witness);
  }

  /** The violation that these cases are; null when there is none. */
  toViolation(invariant: Invariant): Violation | null {
    return this.#count === 0 ? null : { invariant, count: this.#count, witnesses: this.#witnesses };
  }
}
