import type { Logger } from '../log/logger';

export interface ProcessExitOptions {
  readonly log: Logger;
  /** What a stop is; runs once. Should not reject. */
  readonly stop: () => Promise<void>;
  /** After this the process ends, whatever is left. */
  readonly deadlineMs: number;
  /** A worker obeys its primary: Ctrl-C in a terminal reaches both, and counts at the primary. */
  readonly isWorker?: boolean;
}

const SLACK_MS = 1000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * When and how this process ends. The first SIGTERM or SIGINT stops it gracefully (exit code 0), the second one
 * ends it at once (1); an error that nobody caught stops it gracefully, too (1).
 */
export class ProcessExit {
  readonly #options: ProcessExitOptions;
  #exitCode = 0;
  #isStopping = false;
  #hasSignal = false;

  /** Takes over the process's signals and uncaught errors, for good. */
  constructor(options: ProcessExitOptions) {
    this.#options = options;
    for (const signal of SIGNALS) {
      process.on(signal, () => this.#onSignal(signal));
    }
    // Rejections that nobody handles come here as well: that is Node's default.
    process.on('uncaughtException', (error, origin) => {
      options.log.error('uncaught error', { origin, error });
      this.begin('uncaught error', 1);
    });
  }

  /** Starts the stop, or only raises the exit code where it runs already. */
  begin(reason: string, exitCode: number): void {
    this.#exitCode = Math.max(this.#exitCode, exitCode);
    if (!this.#isStopping) {
      this.#isStopping = true;
      void this.#stop(reason);
    }
  }

  #onSignal(signal: NodeJS.Signals): void {
    if (signal === 'SIGINT' && this.#options.isWorker === true) {
      return;
    }
    if (this.#hasSignal) {
      this.#options.log.warn('second signal, ending at once', { signal });
      this.#exitNow(1);
      return;
    }
    this.#hasSignal = true;
    this.begin(signal, 0);
  }

  async #stop(reason: string): Promise<void> {
    const { log, stop, deadlineMs, isWorker } = this.#options;
    log.info('stopping', { reason, deadlineMs });
    setTimeout(() => {
      log.error('stop took too long, ending', { deadlineMs });
      this.#exitNow(this.#exitCode);
    }, deadlineMs + SLACK_MS).unref();
    try {
      await stop();
    } catch (error) {
      log.error('stop failed', { error });
      this.#exitCode = 1;
    }
    log.info('stopped', { reason, exitCode: this.#exitCode });
    if (isWorker === true) {
      // Its channel to the primary would keep it, and Node ends a worker that drops it with 0.
      this.#exitNow(this.#exitCode);
    } else {
      // The event loop is empty now, unless something leaked. Left to end by itself, Node also takes its environment
      // apart, and was once seen to do that for ever.
      process.exitCode = this.#exitCode;
      process.once('beforeExit', () => process.exit());
    }
  }

  #exitNow(exitCode: number): void {
    process.exitCode = exitCode;
    // The logger hands its last lines on in this turn of the event loop.
    setImmediate(() => process.exit());
  }
}
