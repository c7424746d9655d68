/** The limit for a wait. It only ends a test that hangs: no result depends on the speed of the machine. */
export const HANG_MS = 60_000;

/**
 * Waits until `check` returns something other than undefined or false, and returns it.
 * @throws after `withinMs`: the last error of `check`, or one that says what was awaited
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = HANG_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw last instanceof Error ? last : new Error(`not within ${withinMs} ms: ${what}`);
}
