import type { Logger } from '@posthorn/runtime';

export interface JanitorOptions {
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
export class Janitor {
  readonly #options: JanitorOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round; never rejects. True when there may be more. */
  async clean(): Promise<boolean> {
    const { purge, onPurged, log } = this.#options;
    try {
      for (let batch = 0; batch < MAX_BATCHES && !this.#isStopped; batch++) {
        const count = await purge(BATCH);
        onPurged(count);
        if (count < BATCH) return false;
      }
      return true;
    } catch (error) {
      log.warn('idempotency keys not purged', { error });
      return false;
    }
  }

  /** Jittered, so that processes that were started together do not clean together. */
  #schedule(isMore = false): void {
    this.#timer = setTimeout(
      () => {
        this.#round = this.clean().then((hasMore) => {
          if (!this.#isStopped) this.#schedule(hasMore);
        });
      },
      isMore ? 0 : INTERVAL_MS * (0.5 + Math.random()),
    ).unref();
  }
}
