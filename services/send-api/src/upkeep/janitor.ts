import { type Logger, PeriodicWork } from '@posthorn/runtime';

interface JanitorOptions {
  /** Removes at most `limit` idempotency keys that are past their time; returns how many. */
  readonly purge: (limit: number) => Promise<number>;
  readonly onPurged: (count: number) => void;
  readonly log: Logger;
}

const INTERVAL_MS = 180_000;
const BATCH = 1_000;
/** One round ends after this many batches; where it was not enough, the next follows at once. */
const MAX_BATCHES = 50;

/**
 * Removes idempotency keys past their 24 hours, every few minutes and in small batches. Every process has one:
 * the batches of several do not wait for each other.
 */
export function createJanitor({ purge, onPurged, log }: JanitorOptions): PeriodicWork {
  return new PeriodicWork({
    round: async (signal) => {
      for (let batch = 0; batch < MAX_BATCHES && !signal.aborted; batch++) {
        const count = await purge(BATCH);
        onPurged(count);
        if (count < BATCH) return INTERVAL_MS;
      }
      return 0;
    },
    firstMs: INTERVAL_MS,
    retryMs: INTERVAL_MS,
    onError: (error) => log.warn('idempotency keys not purged', { error }),
  });
}
