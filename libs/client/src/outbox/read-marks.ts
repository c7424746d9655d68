import { isMessageId, MAX_READ_IDS } from '@posthorn/protocol';
import type { Answer, Api } from '../http/api.ts';
import type { Store } from '../stores/store.ts';
import { type StepResult, Worker } from './worker.ts';

/** The callbacks of the marks. */
export interface ReadMarksHost {
  onStoreError(thrown: unknown): void;
  /** The message is not in the user's inbox, or must not be marked. Its mark is dropped. */
  onRefused(id: string, why: string): void;
  onLater(why: string): void;
}

const PREFIX = 'read/';
const MAX_WAITING = 1_000;

/**
 * Messages that the user has read but the server does not know of yet. They are stored, so that a reload keeps them.
 */
export class ReadMarks {
  readonly #api: Api;
  readonly #store: Store;
  readonly #host: ReadMarksHost;
  readonly #worker = new Worker(() => this.#tell());
  readonly #waiting = new Set<string>();
  /** How many marks to send one by one after a refused batch, to find the one that is refused. */
  #oneByOne = 0;

  constructor(api: Api, store: Store, host: ReadMarksHost) {
    this.#api = api;
    this.#store = store;
    this.#host = host;
  }

  async adopt(): Promise<void> {
    for (const name of await this.#store.keys(PREFIX)) this.#waiting.add(name.slice(PREFIX.length));
    this.#worker.kick();
  }

  /** @throws TypeError, RangeError if too many marks wait, or what the store throws */
  async add(ids: readonly string[]): Promise<void> {
    const wrong = ids.find((id) => !isMessageId(id));
    if (wrong !== undefined) throw new TypeError(`read: ${JSON.stringify(wrong)} is not a message id`);
    const fresh = [...new Set(ids)].filter((id) => !this.#waiting.has(id));
    if (this.#waiting.size + fresh.length > MAX_WAITING) {
      throw new RangeError(`read: ${MAX_WAITING} marks are waiting: try again when the server is reachable`);
    }
    for (const id of fresh) {
      this.#waiting.add(id);
      await this.#store.set(PREFIX + id, true);
    }
    this.#worker.kick();
  }

  refresh(): void {
    this.#worker.wake();
  }

  close(): void {
    this.#worker.stop();
  }

  async #tell(): Promise<StepResult> {
    const batch = [...this.#waiting].slice(0, this.#oneByOne > 0 ? 1 : MAX_READ_IDS);
    const [first] = batch;
    if (first === undefined) return 'idle';
    const answer: Answer = await this.#api.ask({
      method: 'POST',
      path: '/v1/receipts',
      body: { read: batch },
    });
    if (answer.kind === 'later') {
      this.#host.onLater(answer.why);
      return { laterMs: answer.waitMs };
    }
    this.#oneByOne = Math.max(0, this.#oneByOne - 1);
    if (answer.kind === 'refused') {
      if (batch.length > 1) {
        this.#oneByOne = batch.length;
        return 'more';
      }
      this.#host.onRefused(first, answer.problem.detail);
    }
    for (const id of batch) {
      this.#waiting.delete(id);
      try {
        await this.#store.delete(PREFIX + id);
      } catch (thrown) {
        this.#host.onStoreError(thrown);
      }
    }
    return 'more';
  }
}
