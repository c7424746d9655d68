import type { PartitionsKept } from '@posthorn/inbox';
import { type Logger, PeriodicWork } from '@posthorn/runtime';

interface PartitionKeeperOptions {
  /** Adds and drops what is due; given up when the signal says so. */
  readonly keep: (signal: AbortSignal) => Promise<PartitionsKept>;
  readonly onKept: (kept: PartitionsKept) => void;
  readonly log: Logger;
}

const FIRST_MS = 1_000;
const INTERVAL_MS = 3_600_000;
/** Where something was left to do. */
const RETRY_MS = 60_000;

/**
 * Adds and drops partitions of messages, soon after the start and every hour. Every process has one, and one at a
 * time works.
 */
export function createPartitionKeeper({ keep, onKept, log }: PartitionKeeperOptions): PeriodicWork {
  return new PeriodicWork({
    round: async (signal) => {
      const kept = await keep(signal);
      onKept(kept);
      const { added, dropped, overdue, fault } = kept;
      if (added + dropped > 0) log.info('partitions changed', { added, dropped });
      if (fault !== null) log.warn('partitions not kept', { overdue, error: fault });
      return overdue === 0 ? INTERVAL_MS : RETRY_MS;
    },
    firstMs: FIRST_MS,
    retryMs: RETRY_MS,
    onError: (error) => log.warn('partitions not kept', { error }),
  });
}
