import DataLoader from 'dataloader';

export interface BatcherOptions<In, Out> {
  /** For messages of errors. */
  readonly name: string;
  /** Answers each item, in order: with a value, or with the error that its `submit` rejects with. */
  readonly run: (items: readonly In[]) => Promise<readonly (Out | Error)[]>;
  /** Items of one batch at most. */
  readonly maxBatch: number;
  /** Items submitted and not answered at most, those in flight included; beyond it `submit` rejects. */
  readonly maxPending: number;
  /** Batches in flight at most. */
  readonly concurrency: number;
  /**
   * Batches leave at least this far apart: the first one at once, those that follow closely gather. For what nobody
   * waits for closely; 0 by default.
   */
  readonly paceMs?: number;
  /** Asked when the batch leaves: an error takes the item out of it, for those whose deadline is over. */
  readonly expired?: (item: In) => Error | null;
}

/** Too many items wait already: nothing was done with this one. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/**
 * Group commit. While a slot is free a batch leaves at the end of this turn of the event loop, or at its pace; while
 * all are busy, items gather, `maxBatch` together. dataloader keeps the batches and settles each item; what is ours is
 * when a batch may leave, and the bound.
 */
export class Batcher<In, Out> {
  readonly #options: BatcherOptions<In, Out>;
  /** Boxed, because dataloader takes neither `null` nor `undefined`, and puts keys into its messages. */
  readonly #loader: DataLoader<{ readonly item: In }, Out>;
  /** Batches that wait for a slot, oldest first: `maxPending / maxBatch` and a few at most. */
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #nextLeaveMs = 0;
  #inFlight = 0;
  #pending = 0;

  constructor(options: BatcherOptions<In, Out>) {
    this.#options = options;
    this.#loader = new DataLoader((boxes) => this.#run(boxes.map(({ item }) => item)), {
      cache: false,
      maxBatchSize: options.maxBatch,
      batchScheduleFn: (leave) => {
        this.#waiting.push(leave);
        this.#fillSlots();
      },
    });
  }

  /** Items submitted and not answered yet. */
  get pending(): number {
    return this.#pending;
  }

  /** @throws OverloadedError at once, when `maxPending` items wait; else what `run` answered for this item */
  async submit(item: In): Promise<Out> {
    if (this.#pending >= this.#options.maxPending) {
      throw new OverloadedError(`${this.#options.name}: ${this.#pending} items are waiting`);
    }
    this.#pending += 1;
    try {
      return await this.#loader.load({ item });
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) {
        for (const resolve of this.#idle.splice(0)) {
          resolve();
        }
      }
    }
  }

  /** Resolves when nothing is pending. */
  idle(): Promise<void> {
    return this.#pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #fillSlots(): void {
    const { concurrency, paceMs = 0 } = this.#options;
    while (this.#inFlight < concurrency) {
      const leave = this.#waiting.shift();
      if (leave === undefined) {
        return;
      }
      this.#inFlight += 1;
      const now = performance.now();
      const waitMs = Math.max(0, this.#nextLeaveMs - now);
      this.#nextLeaveMs = now + waitMs + paceMs;
      if (waitMs > 0) {
        setTimeout(leave, waitMs);
      } else {
        // Not at once: what this turn of the event loop still submits travels along.
        setImmediate(leave);
      }
    }
  }

  async #run(items: readonly In[]): Promise<(Out | Error)[]> {
    const { name, run, expired } = this.#options;
    try {
      const refusals = items.map((item) => expired?.(item) ?? null);
      const live = items.filter((_, index) => refusals[index] === null);
      const answers = live.length === 0 ? [] : await run(live);
      if (answers.length !== live.length) {
        throw new Error(`${name}: a batch of ${live.length} got ${answers.length} answers`);
      }
      const inOrder = answers[Symbol.iterator]();
      return refusals.map((refusal) => refusal ?? next(inOrder));
    } finally {
      this.#inFlight -= 1;
      this.#fillSlots();
    }
  }
}

function next<T>(items: Iterator<T, unknown>): T {
  const item = items.next();
  if (item.done === true) {
    throw new Error('fewer answers than items');
  }
  return item.value;
}
