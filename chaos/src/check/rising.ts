/** A number that only ever rises, over the places of a history. */
export class Rising {
  readonly #at: number[] = [];
  readonly #values: number[] = [];

  /** Points in any order; those that are not higher than what was there before are no news. */
  constructor(points: Iterable<{ at: number; value: number }>) {
    for (const { at, value } of [...points].sort((a, b) => a.at - b.at)) {
      if (value <= (this.#values.at(-1) ?? Number.NEGATIVE_INFINITY)) continue;
      this.#at.push(at);
      this.#values.push(value);
    }
  }

  /** The value just before this place; 0 where nothing is known yet. */
  before(place: number): number {
    return this.#values[firstAtLeast(this.#at, place) - 1] ?? 0;
  }

  /** Where it first was this high. */
  reached(value: number): number {
    return this.#at[firstAtLeast(this.#values, value)] ?? Number.POSITIVE_INFINITY;
  }
}

/** The index of the first of these rising numbers that is not below `bound`. */
function firstAtLeast(rising: readonly number[], bound: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? bound) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
