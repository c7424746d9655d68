import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Happening, HistoryEvent } from './history';

/** Waiting events are written together: at this number, or after this time. */
const MAX_WAITING = 1_000;
const FLUSH_MS = 250;

/**
 * Records events: in memory for the check, and as JSON lines in a file for debugging. Memory is bounded by the length
 * of the run, including events that wait for a slow disk.
 */
export class HistoryRecorder {
  readonly #events: HistoryEvent[] = [];
  readonly #file: WriteStream;
  readonly #done: Promise<void>;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #written = 0;

  /** @param path of a file that is created or replaced */
  constructor(path: string) {
    this.#file = createWriteStream(path);
    this.#done = finished(this.#file);
    // close() reports it. A full disk must not end the run while nobody waits for the file.
    this.#done.catch(() => undefined);
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** All events so far, in order. */
  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /**
   * Records that something happened now.
   * @param p the process: see `HistoryEvent`
   */
  record(p: string, happening: Happening): void {
    const t = Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000;
    this.#events.push({ i: this.#events.length, t, p, ...happening });
    if (this.#events.length - this.#written >= MAX_WAITING) this.#flush();
  }

  /** Writes the rest. Rejects if not everything could be written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    this.#file.end();
    await this.#done;
  }

  #flush(): void {
    const waiting = this.#events.slice(this.#written);
    this.#written = this.#events.length;
    if (waiting.length > 0 && this.#file.writable)
      this.#file.write(`${waiting.map((event) => JSON.stringify(event)).join('\n')}\n`);
  }
}
