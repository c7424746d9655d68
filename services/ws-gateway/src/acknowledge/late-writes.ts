import { within } from '@posthorn/runtime';
import { isUnavailable } from '../unavailable';

/** A write that is left over from a device's ended connection. */
export interface LateWrite {
  user: string;
  device: string;
}

/** How late writes are done. */
export interface LateWritesOptions<T extends LateWrite> {
  /**
   * Writes one item. Returns false if it may need another attempt, which nobody waits for.
   * @throws OutageError or OverloadedError if Postgres cannot take it now: it is tried again
   */
  write(item: T): Promise<boolean>;
  /** Any other error. Trying again would not help, so the item is given up. */
  onError(item: T, error: unknown): void;
  /** The most items that may wait. Further ones are dropped. */
  max: number;
}

interface Waiting<T> {
  readonly item: T;
  attempt: Promise<void> | null;
  isOptional: boolean;
}

/** A failed write is tried again after this time, or up to twice as long. */
const RETRY_MS = 500;
const STOP_STEP_MS = 50;

/**
 * Writes what ended connections left over. No client waits for it, so during an outage the items are kept, up to a
 * limit, and tried again until Postgres takes them.
 */
export class LateWrites<T extends LateWrite> {
  readonly #options: LateWritesOptions<T>;
  readonly #waiting = new Map<string, Set<Waiting<T>>>();
  #size = 0;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(options: LateWritesOptions<T>) {
    this.#options = options;
  }

  /** Writes the item now, or as soon as Postgres takes it. */
  add(item: T): void {
    if (this.#size >= this.#options.max) return;
    const waiting: Waiting<T> = { item, attempt: null, isOptional: false };
    const name = nameOf(item);
    const known = this.#waiting.get(name);
    if (known === undefined) this.#waiting.set(name, new Set([waiting]));
    else known.add(waiting);
    this.#size++;
    void this.#attempt(waiting);
  }

  /** Tries the waiting items of this device once more, and waits for the result. */
  async settle(user: string, device: string): Promise<void> {
    const known = this.#waiting.get(nameOf({ user, device }));
    if (known !== undefined) await this.#attemptAll(known);
  }

  /** Tries until only optional items are left, then resolves to true. Resolves to false after `withinMs`. */
  async idle(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const left = this.#all().filter(({ isOptional }) => !isOptional);
      const leftMs = deadline - performance.now();
      if (left.length === 0 || leftMs <= 0) return left.length === 0;
      await within(leftMs, this.#attemptAll(left), () => undefined);
      if (left.some((waiting) => this.#isWaiting(waiting)))
        await new Promise((resolve) => setTimeout(resolve, Math.min(STOP_STEP_MS, leftMs)));
    }
  }

  /** From now on nothing is tried again. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #attemptAll(waiting: Iterable<Waiting<T>>): Promise<void> {
    await Promise.all([...waiting].map((each) => this.#attempt(each)));
  }

  /** Each item has one attempt at a time. Never rejects. */
  #attempt(waiting: Waiting<T>): Promise<void> {
    waiting.attempt ??= this.#write(waiting).finally(() => {
      waiting.attempt = null;
      if (this.#isWaiting(waiting)) this.#retryLater();
    });
    return waiting.attempt;
  }

  async #write(waiting: Waiting<T>): Promise<void> {
    try {
      if (await this.#options.write(waiting.item)) this.#remove(waiting);
      else waiting.isOptional = true;
    } catch (error) {
      if (isUnavailable(error)) return;
      this.#remove(waiting);
      this.#options.onError(waiting.item, error);
    }
  }

  #retryLater(): void {
    if (this.#isStopped) return;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        void this.#attemptAll(this.#all());
      },
      RETRY_MS * (1 + Math.random()),
    ).unref();
  }

  #remove(waiting: Waiting<T>): void {
    const name = nameOf(waiting.item);
    const known = this.#waiting.get(name);
    if (known === undefined || !known.delete(waiting)) return;
    this.#size--;
    if (known.size === 0) this.#waiting.delete(name);
  }

  #isWaiting(waiting: Waiting<T>): boolean {
    return this.#waiting.get(nameOf(waiting.item))?.has(waiting) ?? false;
  }

  #all(): Waiting<T>[] {
    return [...this.#waiting.values()].flatMap((known) => [...known]);
  }
}

function nameOf({ user, device }: LateWrite): string {
  return `${user} ${device}`;
}
