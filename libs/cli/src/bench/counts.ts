/** What load to put on a deployment. */
export interface BenchOptions {
  users: number;
  /** Messages per second, over all users. */
  rate: number;
  seconds: number;
}

/** The result of a load. Times are in ms, from when a message was due. */
export interface BenchResult {
  users: number;
  wantedRate: number;
  seconds: number;
  accepted: number;
  refused: number;
  /** Why the first refused message was refused. */
  firstRefusal?: string;
  arrived: number;
  /** Messages that were accepted but did not arrive within 30 s. */
  missing: number;
  again: number;
  /** Errors that the clients reported, such as a lost connection. */
  clientErrors: number;
  acceptedPerSecond: number;
  post: Percentiles;
  arrival: Percentiles;
}

export interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

interface Sent {
  dueAt: number;
  arrivedAt?: number;
}

/** Counts what happened to each message of a load. */
export class BenchCounts {
  readonly #sent = new Map<string, Sent>();
  readonly #postMs: number[] = [];
  readonly #arrivalMs: number[] = [];
  readonly #missing = new Set<string>();
  #accepted = 0;
  #refused = 0;
  #firstRefusal: string | undefined;
  #arrived = 0;
  #again = 0;
  #clientErrors = 0;
  /** When the first message was due, and when the last answer came. */
  #startedAt = Number.POSITIVE_INFINITY;
  #answeredAt = 0;

  get acceptedCount(): number {
    return this.#accepted;
  }

  get arrivedCount(): number {
    return this.#arrived;
  }

  /** Messages that were accepted but have not arrived. */
  get missing(): number {
    return this.#missing.size;
  }

  due(text: string, dueAt: number): void {
    this.#startedAt = Math.min(this.#startedAt, dueAt);
    this.#sent.set(text, { dueAt });
  }

  accepted(text: string): void {
    const sent = this.#sent.get(text);
    if (sent === undefined) return;
    // The message may have arrived before the answer came.
    if (sent.arrivedAt === undefined) this.#missing.add(text);
    this.#accepted += 1;
    this.#answeredAt = performance.now();
    this.#postMs.push(this.#answeredAt - sent.dueAt);
  }

  /** It may have been accepted although no answer came. If it arrives later, that is not an error. */
  refused(error: unknown): void {
    this.#refused += 1;
    this.#firstRefusal ??= error instanceof Error ? error.message : String(error);
  }

  arrived(text: string): void {
    const sent = this.#sent.get(text);
    if (sent === undefined) return;
    if (sent.arrivedAt !== undefined) {
      this.#again += 1;
      return;
    }
    sent.arrivedAt = performance.now();
    this.#missing.delete(text);
    this.#arrived += 1;
    this.#arrivalMs.push(sent.arrivedAt - sent.dueAt);
  }

  failed(): void {
    this.#clientErrors += 1;
  }

  result({ users, rate, seconds }: BenchOptions): BenchResult {
    const tookS = Math.max(0.001, (this.#answeredAt - this.#startedAt) / 1_000);
    return {
      users,
      wantedRate: rate,
      seconds,
      accepted: this.#accepted,
      refused: this.#refused,
      ...(this.#firstRefusal === undefined ? {} : { firstRefusal: this.#firstRefusal }),
      arrived: this.#arrived,
      missing: this.missing,
      again: this.#again,
      clientErrors: this.#clientErrors,
      acceptedPerSecond: this.#accepted / tookS,
      post: percentiles(this.#postMs),
      arrival: percentiles(this.#arrivalMs),
    };
  }
}

function percentiles(times: number[]): Percentiles {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
