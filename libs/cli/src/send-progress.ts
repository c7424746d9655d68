import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** Shows the progress of a send of many lines: a redrawn line on a terminal, and the result. */
export class SendProgress {
  readonly #out: Output;
  readonly #bar: SingleBar | undefined;
  readonly #startedAt = performance.now();
  #sent = 0;
  #skipped = 0;
  #isOver = false;

  constructor(out: Output) {
    this.#out = out;
    if (!out.isLive) return;
    // The number of lines is unknown, so it shows a counter and no bar.
    const format = '{value} sent, {rate}/s';
    this.#bar = new SingleBar(
      { format, stream: out.errorStream, clearOnComplete: true, hideCursor: true },
      Presets.legacy,
    );
    this.#bar.start(Number.MAX_SAFE_INTEGER, 0, { rate: 0 });
  }

  sent(): void {
    this.#sent += 1;
    this.#bar?.update(this.#sent, { rate: Math.round(this.#sent / this.#seconds()) });
  }

  skipped(): void {
    this.#skipped += 1;
  }

  /** Shows the result, once. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#bar?.stop();
    const blank = this.#skipped === 0 ? '' : `; ${this.#skipped} blank line(s) left out`;
    this.#out.note(`${this.#sent} sent in ${this.#seconds().toFixed(1)} s${blank}`);
  }

  #seconds(): number {
    return Math.max(0.001, (performance.now() - this.#startedAt) / 1_000);
  }
}
