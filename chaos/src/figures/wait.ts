import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How long until `check` is true, in ms; null if that takes longer than `withinMs`. If `check` throws, that counts as
 * false.
 */
export async function timeUntil(
  check: () => boolean | Promise<boolean>,
  withinMs: number,
  pollMs = 20,
): Promise<number | null> {
  const startedAt = performance.now();
  for (;;) {
    const isTrue = await Promise.resolve()
      .then(check)
      .catch(() => false);
    const ms = performance.now() - startedAt;
    if (isTrue) return ms;
    if (ms > withinMs) return null;
    await sleep(pollMs);
  }
}
