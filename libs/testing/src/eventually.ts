/**
 * The wait for something that has to come. It only ends a test that hangs: no verdict depends on how fast the machine is.
 */
export const HANG_MS = 60_000;

/**
 * Waits until `check` gives something other than undefined or false, and returns it.
 * @throws the last error of `check`, or one that says what was waited for, after `withinMs`
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
