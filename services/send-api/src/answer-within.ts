import { OutageError } from '@posthorn/inbox';
import { within } from '@posthorn/runtime';

/**
 * What `work` gives, if Postgres answers in time. The work itself goes on: its outcome is unknown then.
 *
 * @throws OutageError after `waitMs`
 */
export function answerWithin<T>(waitMs: number, work: Promise<T>): Promise<T> {
  return within(waitMs, work, refuse);
}

function refuse(waitMs: number): never {
  throw new OutageError(`no answer within ${waitMs} ms`);
}
