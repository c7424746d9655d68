/** The wait after so many failures in a row (from 1), in ms. It doubles up to a cap and contains random jitter. */
export function backoffMs(failures: number, { baseMs = 500, capMs = 30_000 } = {}): number {
  const fullMs = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  // Only the upper half is random, so that a client that has failed often never retries too soon.
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
