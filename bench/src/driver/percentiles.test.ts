import { percentilesOf } from './percentiles';

describe('percentiles', () => {
  it('are exact, whatever the order', () => {
    const values = Float64Array.from({ length: 1_000 }, (_, nth) => ((nth * 7) % 1_000) + 1);
    expect(percentilesOf(values)).toEqual({ count: 1_000, p50: 501, p90: 901, p99: 991, max: 1_000 });
  });

  it('are zero where there is nothing', () => {
    expect(percentilesOf(new Float64Array(0))).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });
});
