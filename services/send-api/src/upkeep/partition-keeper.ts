import type { PartitionsKept } from '@posthorn/inbox';
import type { Logger } from '@posthorn/runtime';

export interface PartitionKeeperOptions {
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
 * Sees to the partitions of messages, at the start and every hour. Every process has one, and one at a time works.
 */
export class PartitionKeeper {
  readonly #options: PartitionKeeperOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: PartitionKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(FIRST_MS);
  }

  /** Resolves when nothing of it runs any more; what takes long is given up. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round; never rejects. True when nothing is left to do. */
  async keep(): Promise<boolean> {
    const { keep, onKept, log } = this.#options;
    try {
      const kept = await keep(this.#stop.signal);
      onKept(kept);
      const { added, dropped, overdue, fault } = kept;
      if (added + dropped > 0) log.info('partitions changed', { added, dropped });
      if (fault !== null) log.warn('partitions not kept', { overdue, error: fault });
      return overdue === 0;
    } catch (error) {
      if (!this.#stop.signal.aborted) log.warn('partitions not kept', { error });
      return false;
    }
  }

  /** Jittered, so that processes that were started together do not all ask together. */
  #schedule(afterMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#round = this.keep().then((isDone) => {
          if (!this.#stop.signal.aborted) this.#schedule(isDone ? INTERVAL_MS : RETRY_MS);
        });
      },
      afterMs * (0.5 + Math.random()),
    ).unref();
  }
}
