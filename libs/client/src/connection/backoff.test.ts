import { backoffMs } from './backoff.ts';

describe('backoffMs', () => {
  it('§5.7: doubles up to a cap, and differs each time', () => {
    for (const [failures, fullMs] of [
      [1, 500],
      [2, 1_000],
      [4, 4_000],
      [20, 30_000],
      [10_000, 30_000],
    ] as const) {
      const waits = Array.from({ length: 200 }, () => backoffMs(failures));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(fullMs / 2);
      expect(Math.max(...waits)).toBeLessThanOrEqual(fullMs);
      expect(new Set(waits).size).toBeGreaterThan(100);
    }
  });
});
