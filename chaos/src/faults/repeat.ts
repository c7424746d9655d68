import { setTimeout as sleep } from 'node:timers/promises';
import { errorOf } from './evidence';

/** Work that is repeated. */
export interface Repetition {
  /** Resolves when the work has ended. */
  stop(): Promise<void>;
}

/** Repeats the work from now on. If it fails, perhaps by another fault, it is tried again. */
export function repeat(pauseMs: number, work: () => Promise<unknown>): Repetition {
  const over = new AbortController();
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await errorOf(work);
      await errorOf(() => sleep(pauseMs, undefined, over)); // rejects when the repetition is stopped
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
