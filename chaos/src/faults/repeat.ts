import { setTimeout as sleep } from 'node:timers/promises';
import { errorOf } from './evidence';

/** Something that is done again and again. */
export interface Repetition {
  /** Resolves when it is not being done any more. */
  stop(): Promise<void>;
}

/** Does it again and again from now on. Where it fails, by another fault perhaps, it is tried again. */
export function repeat(pauseMs: number, work: () => Promise<unknown>): Repetition {
  const over = new AbortController();
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await errorOf(work);
      await errorOf(() => sleep(pauseMs, undefined, over)); // rejects when it is over
    }
  };
  const running = run();
  return {
    stop: async () => {
      over.abort();
      await running;
    },
  };
}
