/** A figure over the rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  count: number;
}

/** The middle one; of an even number the mean of both in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Median, least and most of the rounds; undefined where there is none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length };
}

/** The median of the ratios of those rounds that both have: what disturbs a whole round then cancels out. */
export function ratioOf(
  values: ReadonlyMap<number, number>,
  others: ReadonlyMap<number, number>,
): number | undefined {
  const ratios = [...values].flatMap(([round, value]) => {
    const other = others.get(round);
    return other === undefined || other === 0 ? [] : [value / other];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}
