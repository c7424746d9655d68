import type { Logger } from '../log/logger';
import { within } from './within';

interface Step {
  readonly name: string;
  readonly fn: StopStep;
}

/** Undoes something; after `allowedMs` the next step runs all the same. */
type StopStep = (allowedMs: number) => Promise<void> | void;

/** Kept for each step that is still to come, so that one that hangs cannot eat the others' time. */
const RESERVED_MS = 50;

/**
 * What has to be undone when the process stops. Register on the line after an acquisition; `stop` runs the
 * steps last in, first out, under one deadline. A step that throws or hangs is logged and the next one runs.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #steps: Step[] = [];
  readonly #controller = new AbortController();
  #stopped: Promise<void> | null = null;
  #isOver = false;
  /** Resolves at the first moment of stopping. */
  readonly whenStopping: Promise<void>;

  constructor(log: Logger) {
    this.#log = log;
    this.whenStopping = new Promise((resolve) => {
      this.#controller.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Whether `stop` has been called. */
  get stopping(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Aborted at the first moment of stopping: for waits that should end then. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Adds a step. One that comes when the stop is over (a start that lost the race) runs at once. */
  onStop(name: string, fn: StopStep): void {
    if (this.#isOver) {
      void this.#run({ name, fn }, RESERVED_MS);
    } else {
      this.#steps.push({ name, fn });
    }
  }

  /** Calls `fn` at the first moment of stopping, or now if that has passed. `fn` must not throw. */
  onStopping(fn: () => void): void {
    void this.whenStopping.then(fn).catch((error: unknown) => {
      this.#log.error('stop listener failed', { error });
    });
  }

  /** Runs the steps within about `deadlineMs`; never rejects. Later calls share the first one's promise. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(performance.now() + deadlineMs);
    return this.#stopped;
  }

  async #stop(deadline: number): Promise<void> {
    this.#controller.abort();
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const left = deadline - performance.now() - RESERVED_MS * this.#steps.length;
      await this.#run(step, Math.max(left, RESERVED_MS));
    }
    this.#isOver = true;
  }

  async #run({ name, fn }: Step, allowedMs: number): Promise<void> {
    try {
      const outcome = await within(allowedMs, (async () => fn(allowedMs))(), () => 'timeout' as const);
      if (outcome === 'timeout') {
        this.#log.error('stop step timed out', { step: name, allowedMs: Math.round(allowedMs) });
      }
    } catch (error) {
      this.#log.error('stop step failed', { step: name, error });
    }
  }
}
