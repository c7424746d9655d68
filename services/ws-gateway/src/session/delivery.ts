/** Where an entry came from. */
type EntrySource = 'list' | 'live' | 'postgres';

/** An inbox entry that can be sent. */
export interface Entry {
  seq: number;
  /** The message as its reader sees it, as JSON text. Live readers of one gateway share it. */
  messageJson: string;
  messageId: string;
  /** When the message was committed, RFC 3339. */
  createdAt: string;
  source: EntrySource;
  /** True if the `data` of the message cannot be encoded and is left out. */
  isIncomplete?: true;
  /** The epoch that its `seq` belongs to. */
  epoch: string;
  /** The `traceparent` that its delivery belongs to. Entries from Postgres have none. */
  trace?: string;
}

/** Entries to fetch from the offline list or Postgres: the first `limit` entries after `after`. */
export interface Want {
  after: number;
  limit: number;
}

/** Deleted entries from `from` to `to`, both included. */
export interface SkippedRange {
  from: number;
  to: number;
}

/** Where a connection's delivery begins, and how far ahead it may go. */
export interface DeliveryStart {
  /** Delivery begins with `after` + 1. */
  after: number;
  /** The newest `seq` of the inbox. */
  newest: number;
  /** The most entries that may be sent and not acknowledged. */
  window: number;
}

/** How many entries are kept that arrived before their turn. The others come from Postgres later. */
const MAX_AHEAD = 64;

/**
 * Decides what one connection is sent. Every `seq` after the start is sent once and in order, as an entry or within a
 * range of deleted entries. At most `window` entries are unacknowledged. Entries may arrive from any source, in any
 * order, any number of times. Pure: no socket, no clock, no store.
 */
export class Delivery {
  readonly #window: number;
  /** Null while it is empty. Most connections are idle, and an empty map would double the memory of this object. */
  #ahead: Map<number, Entry | SkippedRange> | null = null;
  /** Ranges that were sent and not acknowledged. Almost always null. */
  #skipped: SkippedRange[] | null = null;
  #sent: number;
  #acked: number;
  #newest: number;
  /** The highest `seq` that was reported since the current read of the inbox began. */
  #heard = 0;

  constructor({ after, newest, window }: DeliveryStart) {
    this.#sent = after;
    this.#acked = after;
    this.#newest = Math.max(after, newest);
    this.#window = window;
  }

  /** The highest `seq` that was sent or skipped. So was every `seq` between the start and this one. */
  get sent(): number {
    return this.#sent;
  }

  /** The highest `seq` that is known to exist. */
  get newest(): number {
    return this.#newest;
  }

  /** How many more entries the window lets through. */
  get room(): number {
    return this.#window - this.inFlight;
  }

  /** Entries sent and not acknowledged. */
  get inFlight(): number {
    const skipped = this.#skipped?.reduce((sum, { from, to }) => sum + to + 1 - from, 0) ?? 0;
    return this.#sent - this.#acked - skipped;
  }

  /** An entry arrived. A duplicate is dropped. An early entry is kept while there is room. */
  arrive(entry: Entry): void {
    this.learn(entry.seq);
    this.#keep(entry.seq, entry);
  }

  /** A read of the inbox showed that these entries were deleted. */
  skip({ from, to }: SkippedRange): void {
    this.learn(to);
    const begin = Math.max(from, this.#sent + 1);
    if (begin <= to) this.#keep(begin, { from: begin, to });
  }

  /** The inbox goes up to at least `newest`. */
  learn(newest: number): void {
    this.#heard = Math.max(this.#heard, newest);
    this.#newest = Math.max(this.#newest, newest);
  }

  /** The device has everything up to `seq`. Returns false, and changes nothing, if that was not sent. */
  acknowledge(seq: number): boolean {
    if (seq > this.#sent) return false;
    if (seq > this.#acked) this.#acked = seq;
    if (this.#skipped !== null) this.#skipped = partsBeyond(this.#skipped, this.#acked);
    return true;
  }

  /** Takes out the next entry or range, to be sent now. Null if it is not here or the window is full. */
  next(): Entry | SkippedRange | null {
    if (this.room <= 0) return null;
    const next = this.#ahead?.get(this.#sent + 1);
    if (next === undefined) return null;
    if ('from' in next) {
      this.#pass(next);
    } else {
      this.#ahead?.delete(next.seq);
      this.#sent = next.seq;
    }
    return next;
  }

  /** True if entries arrived before their turn. */
  get hasEarly(): boolean {
    return this.#ahead !== null && this.#ahead.size > 0;
  }

  /** A read of the inbox begins. Reports that arrive from now on may be newer than its result. */
  beginReading(): void {
    this.#heard = 0;
  }

  /** A read showed that the inbox ends at `newest`. Reports of later entries from before the read were wrong. */
  correct(newest: number): void {
    this.#newest = Math.max(newest, this.#heard, this.#sent);
    for (const seq of this.#ahead?.keys() ?? []) if (seq > this.#newest) this.#ahead?.delete(seq);
  }

  /** What to fetch now. Null if the next entry is here, does not exist yet, or must not be sent yet. */
  want(): Want | null {
    const after = this.#sent;
    const limit = Math.min(this.room, this.#newest - after, MAX_AHEAD);
    return limit <= 0 || this.#ahead?.has(after + 1) ? null : { after, limit };
  }

  #keep(seq: number, next: Entry | SkippedRange): void {
    if (seq <= this.#sent) return;
    this.#ahead ??= new Map();
    if (seq > this.#sent + 1 && this.#ahead.size >= MAX_AHEAD) return;
    this.#ahead.set(seq, next);
  }

  /** Passes the range, and drops what was kept within it. If a dropped range goes further, Postgres is asked again. */
  #pass(range: SkippedRange): void {
    this.#sent = range.to;
    this.#skipped = [...(this.#skipped ?? []), range];
    for (const seq of this.#ahead?.keys() ?? []) if (seq <= range.to) this.#ahead?.delete(seq);
  }
}

/** The parts of the ranges above `seq`; null if nothing is left. */
function partsBeyond(ranges: readonly SkippedRange[], seq: number): SkippedRange[] | null {
  const beyond = ranges
    .filter(({ to }) => to > seq)
    .map(({ from, to }) => ({ from: Math.max(from, seq + 1), to }));
  return beyond.length === 0 ? null : beyond;
}
