import { backoffMs } from '../connection/backoff.ts';
import { Pause } from '../connection/pause.ts';

/** The result of a step: there may be more to do, there is nothing to do, or try again later. */
export type StepResult = 'more' | 'idle' | { laterMs: number | undefined };

/** Runs steps until there is nothing left to do. After each failure in a row it waits longer. */
export class Worker {
  readonly #step: () => Promise<StepResult>;
  readonly #pause = new Pause();
  #isRunning = false;
  #isKicked = false;
  #isStopped = false;
  #failures = 0;

  constructor(step: () => Promise<StepResult>) {
    this.#step = step;
  }

  /** Starts work, because there is something to do. */
  kick(): void {
    this.#isKicked = true;
    if (!this.#isRunning && !this.#isStopped) void this.#run();
  }

  /** Tries again at once, because the cause of the wait may be gone. */
  wake(): void {
    this.#failures = 0;
    this.#pause.end();
    this.kick();
  }

  stop(): void {
    this.#isStopped = true;
    this.#pause.end();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isKicked && !this.#isStopped) {
      this.#isKicked = false;
      const result = await this.#step();
      if (result === 'idle') continue;
      this.#isKicked = true;
      if (result === 'more') {
        this.#failures = 0;
        continue;
      }
      this.#failures += 1;
      if (!this.#isStopped) await this.#pause.wait(result.laterMs ?? backoffMs(this.#failures));
    }
    this.#isRunning = false;
  }
}
