import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `check` returns true. If `check` throws, that counts as false. After `boundMs` throws an error that
 * names `what`.
 */
export async function until(what: string, check: () => Promise<boolean>, boundMs: number): Promise<void> {
  const boundAt = performance.now() + boundMs;
  let last: unknown;
  for (;;) {
    try {
      if (await check()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > boundAt)
      throw new Error(`not within ${boundMs / 1_000} s: ${what}`, { cause: last });
    await sleep(25);
  }
}
