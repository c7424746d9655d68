import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiAnswer, ApiClient } from '../workload/api-client';

/** One send of a load: when it began, in ms of `performance.now`, and how it ended. */
export interface LoadedSend {
  begun: number;
  answer: ApiAnswer;
}

/** The options of a load. */
export interface LoadOptions {
  api: ApiClient;
  from: string;
  /** The recipients of the nth message. */
  to: (n: number) => readonly string[];
  senders: number;
  /** The pause of each sender between an answer and its next send. */
  pauseMs: number;
  text?: string;
}

/** Senders that send one message after another and never retry. */
export class Load {
  readonly sends: LoadedSend[] = [];
  readonly #running: Promise<unknown>;
  #count = 0;
  #isOver = false;

  constructor(options: LoadOptions) {
    this.#running = Promise.all(Array.from({ length: options.senders }, () => this.#run(options)));
  }

  /** Resolves when every send has its answer. */
  async stop(): Promise<readonly LoadedSend[]> {
    this.#isOver = true;
    await this.#running;
    return this.sends;
  }

  async #run({ api, from, to, pauseMs, text = 'load' }: LoadOptions): Promise<void> {
    while (!this.#isOver) {
      const n = this.#count++;
      const begun = performance.now();
      const answer = await api.send(from, `load-${n}-${begun}`, { to: to(n), text });
      this.sends.push({ begun, answer });
      await sleep(pauseMs);
    }
  }
}

/** The value that this share of the values does not exceed; 0 without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
