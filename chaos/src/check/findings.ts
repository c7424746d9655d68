import type { Invariant, Violation } from './verdict';

const MAX_WITNESSES = 10;

/** The result of one invariant's check: the number of cases, and the first few of them in words. */
export class Findings {
  readonly #witnesses: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds a case, with enough words to find its events in the history. */
  add(witness: string): void {
    this.#count++;
    if (this.#witnesses.length < MAX_WITNESSES) this.#witnesses.push(witness);
  }

  /** These cases as a violation; null without cases. */
  toViolation(invariant: Invariant): Violation | null {
    return this.#count === 0 ? null : { invariant, count: this.#count, witnesses: this.#witnesses };
  }
}
