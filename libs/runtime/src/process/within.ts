/**
 * Waits for `work`, but no longer than `waitMs`: then the outcome is what `late` returns or throws. The work itself
 * goes on, and nobody learns how it ends.
 */
export function within<T, Late = T>(
  waitMs: number,
  work: Promise<T>,
  late: (waitMs: number) => Late,
): Promise<T | Late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(late(waitMs));
      } catch (error) {
        reject(error);
      }
    }, waitMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
