/** A figure over the rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  count: number;
}

/** The middle value; for an even number, the mean of the two in the middle. NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Median, minimum and maximum over the rounds; undefined without values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length };
}

/** The median of the ratios of the rounds that both have. This cancels out what disturbs a whole round. */
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
