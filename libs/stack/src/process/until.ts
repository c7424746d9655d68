import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `check` is true; one that throws counts as false. Throws after `boundMs`, with what it waited for. */
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
