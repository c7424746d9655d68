/** A number that only rises, over the places of a history. */
export class Rising {
  readonly #at: number[] = [];
  readonly #values: number[] = [];

  /** Points in any order. Points that are not higher than an earlier one are ignored. */
  constructor(points: Iterable<{ at: number; value: number }>) {
    for (const { at, value } of [...points].sort((a, b) => a.at - b.at)) {
      if (value <= (this.#values.at(-1) ?? Number.NEGATIVE_INFINITY)) continue;
      this.#at.push(at);
      this.#values.push(value);
    }
  }

  /** The value just before this place; 0 if nothing is known yet. */
  before(place: number): number {
    return this.#values[firstAtLeast(this.#at, place) - 1] ?? 0;
  }

  /** The first place with at least this value. */
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
