import type { Logger } from '../log/logger';

export interface ProcessExitOptions {
  readonly log: Logger;
  /** Stops the process's work. It runs once and should not reject. */
  readonly stop: () => Promise<void>;
  /** After this time the process ends, even if the stop is not finished. */
  readonly deadlineMs: number;
  /** A worker ignores SIGINT: Ctrl-C in a terminal reaches the primary too, and the primary stops its workers. */
  readonly isWorker?: boolean;
}

const SLACK_MS = 1000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Decides when this process ends, and with which exit code. The first SIGTERM or SIGINT stops it gracefully (code 0),
 * the second ends it at once (1). An uncaught error also stops it gracefully (1).
 */
export class ProcessExit {
  readonly #options: ProcessExitOptions;
  #exitCode = 0;
  #isStopping = false;
  #hasSignal = false;

  /** Takes over the process's signals and uncaught errors permanently. */
  constructor(options: ProcessExitOptions) {
    this.#options = options;
    for (const signal of SIGNALS) {
      process.on(signal, () => this.#onSignal(signal));
    }
    // By default Node reports unhandled rejections here as well.
    process.on('uncaughtException', (error, origin) => {
      options.log.error('uncaught error', { origin, error });
      this.begin('uncaught error', 1);
    });
  }

  /** Starts the stop. If it is already running, this only raises the exit code. */
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
      // The channel to the primary would keep the worker alive. If it disconnects instead, Node ends it with code 0.
      this.#exitNow(this.#exitCode);
    } else {
      // The event loop is empty now, unless something leaked. Without this exit Node also tears down its environment,
      // and that hung once.
      process.exitCode = this.#exitCode;
      process.once('beforeExit', () => process.exit());
    }
  }

  #exitNow(exitCode: number): void {
    process.exitCode = exitCode;
    // The logger writes its last lines in this turn of the event loop.
    setImmediate(() => process.exit());
  }
}
