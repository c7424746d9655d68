import { OutageError } from '@posthorn/inbox';

/**
 * What `work` gives, if it does so in time. The work itself goes on: its outcome is unknown then.
 *
 * @throws OutageError after `waitMs`
 */
export function within<T>(waitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new OutageError(`no answer within ${waitMs} ms`)), waitMs);
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
