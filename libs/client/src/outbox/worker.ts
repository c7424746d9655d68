import { backoffMs } from '../connection/backoff.ts';
import { Pause } from '../connection/pause.ts';

/** What a step came to: there may be more to do, there is nothing to do, or it is to be tried again later. */
export type StepResult = 'more' | 'idle' | { laterMs: number | undefined };

/** Does one step after another until there is nothing left; after a failure it waits, longer each time. */
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

  /** There is something to do. */
  kick(): void {
    this.#isKicked = true;
    if (!this.#isRunning && !this.#isStopped) void this.#run();
  }

  /** What it waits for may be there: tries again at once. */
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
