import { within } from '@posthorn/runtime';
import { isUnavailable } from '../unavailable';

/** Something that is still to be written of a device whose connection ended. */
export interface LateWrite {
  user: string;
  device: string;
}

/** How such things are written. */
export interface LateWritesOptions<T extends LateWrite> {
  /**
   * Writes one. False: it may have to be written again later, and nobody waits for that.
   * @throws when Postgres could not take it: it is tried again
   */
  write(item: T): Promise<boolean>;
  /** Something else than an outage: trying again would not help, and it is given up. */
  onError(item: T, error: unknown): void;
  /** Beyond it what comes is dropped. */
  max: number;
}

interface Waiting<T> {
  readonly item: T;
  attempt: Promise<void> | null;
  isOptional: boolean;
}

/** What Postgres could not take is tried again this much later, and up to twice that. */
const RETRY_MS = 500;
const STOP_STEP_MS = 50;

/**
 * What ended connections leave to be written: nobody waits for it, so what an outage keeps back is kept, up to a
 * bound, and tried again until Postgres takes it.
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

  /** Writes it now, or once Postgres takes it. */
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

  /** Tries once more what is left of this device, and waits for that. */
  async settle(user: string, device: string): Promise<void> {
    const known = this.#waiting.get(nameOf({ user, device }));
    if (known !== undefined) await this.#attemptAll(known);
  }

  /** Tries until nothing is left that somebody waits for; false when that took longer than `withinMs`. */
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

  /** Nothing is tried again from here on. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #attemptAll(waiting: Iterable<Waiting<T>>): Promise<void> {
    await Promise.all([...waiting].map((each) => this.#attempt(each)));
  }

  /** One attempt at a time for each; never rejects. */
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
