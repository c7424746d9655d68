/** How long to wait after so many failures in a row (from 1): doubled each time, up to a cap, and never twice the same. */
export function backoffMs(failures: number, { baseMs = 500, capMs = 30_000 } = {}): number {
  const fullMs = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  // The lower half is kept: a client that has failed for long does not hammer by luck.
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
