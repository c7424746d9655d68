import type { Logger } from '../log/logger';
import { within } from './within';

interface Step {
  readonly name: string;
  readonly fn: StopStep;
}

/** Undoes something. After `allowedMs` the next step runs even if this one has not finished. */
type StopStep = (allowedMs: number) => Promise<void> | void;

/** Time kept back for each later step, so that a step that hangs cannot use it up. */
const RESERVED_MS = 50;

/**
 * The steps that stop the process. Register a step on the line after an acquisition. `stop` runs the steps in reverse
 * order under one deadline. A step that throws or hangs is logged, and the next one runs.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #steps: Step[] = [];
  readonly #controller = new AbortController();
  #stopped: Promise<void> | null = null;
  #isOver = false;
  /** Resolves as soon as the stop begins. */
  readonly whenStopping: Promise<void>;

  constructor(log: Logger) {
    this.#log = log;
    this.whenStopping = new Promise((resolve) => {
      this.#controller.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  get stopping(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Aborted as soon as the stop begins, for waits that should end then. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Adds a step. If the stop is already over (a start that finished too late), the step runs at once. */
  onStop(name: string, fn: StopStep): void {
    if (this.#isOver) {
      void this.#run({ name, fn }, RESERVED_MS);
    } else {
      this.#steps.push({ name, fn });
    }
  }

  /** Calls `fn` as soon as the stop begins, or now if it has begun. `fn` must not throw. */
  onStopping(fn: () => void): void {
    void this.whenStopping.then(fn).catch((error: unknown) => {
      this.#log.error('stop listener failed', { error });
    });
  }

  /** Runs the steps within about `deadlineMs`. Never rejects. Later calls return the same promise. */
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
