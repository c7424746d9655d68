/** What is done again and again, and when. */
export interface PeriodicWorkOptions {
  /** Does one round and returns the wait until the next one. A stop aborts the signal. */
  readonly round: (signal: AbortSignal) => Promise<number>;
  /** The wait before the first round. */
  readonly firstMs: number;
  /** The wait after a round that failed. */
  readonly retryMs: number;
  /** Reports the error of a round, unless a stop cut the round short. */
  readonly onError: (error: unknown) => void;
}

/** Repeats a round of work until it is stopped. Its timer does not keep the process alive. */
export class PeriodicWork {
  readonly #options: PeriodicWorkOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: PeriodicWorkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(this.#options.firstMs);
  }

  /** Resolves when no round runs and none will. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Does one round. Never rejects. Returns the wait until the next round. */
  async run(): Promise<number> {
    const { round, retryMs, onError } = this.#options;
    const { signal } = this.#stopping;
    try {
      return await round(signal);
    } catch (error) {
      if (!signal.aborted) onError(error);
      return retryMs;
    }
  }

  /** Waits between 0.5 and 1.5 times as long, so that processes that start together do not work together. */
  #schedule(waitMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#running = this.run().then((nextMs) => {
          if (!this.#stopping.signal.aborted) this.#schedule(nextMs);
        });
      },
      waitMs * (0.5 + Math.random()),
    ).unref();
  }
}
