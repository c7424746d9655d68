/** Where an entry came from. */
type EntrySource = 'list' | 'live' | 'postgres';

/** An inbox entry that can be sent. */
export interface Entry {
  seq: number;
  /** The message as its reader sees it, JSON text; shared by all readers of one gateway. */
  messageJson: string;
  messageId: string;
  /** When the message was committed, RFC 3339. */
  createdAt: string;
  source: EntrySource;
  /** True for one of which a part cannot be encoded, and is left out. */
  isIncomplete?: true;
  /** Which life of the inboxes its `seq` belongs to. */
  epoch: string;
  /** The `traceparent` that its delivery is a part of; it does not come from Postgres. */
  trace?: string;
}

/** Entries to get from the offline list or Postgres: the first `limit` beyond `after`. */
export interface Want {
  after: number;
  limit: number;
}

/** Entries from `from` to `to` that are not kept any more. */
export interface SkippedRange {
  from: number;
  to: number;
}

/** Where a connection's delivery begins and how far ahead it may go. */
export interface DeliveryStart {
  /** Delivery begins with `after` + 1. */
  after: number;
  /** The newest `seq` of the inbox. */
  newest: number;
  /** Unacknowledged entries at most. */
  window: number;
}

/** What came before its turn is kept up to this many; the rest stays in Postgres. */
const MAX_AHEAD = 64;

/**
 * What one connection is sent: every `seq` after the start in its turn, each once, as an entry or within a range that is
 * not kept any more, and no more entries than the window unacknowledged. They come from anywhere, in any order, any number of times. Pure: no socket, no clock, no store.
 */
export class Delivery {
  readonly #window: number;
  /** Null while there is none: most connections are idle, and an empty map is half of what they need here. */
  #ahead: Map<number, Entry | SkippedRange> | null = null;
  /** Ranges that were sent and not acknowledged; null while there are none, as nearly always. */
  #skipped: SkippedRange[] | null = null;
  #sent: number;
  #acked: number;
  #newest: number;
  /** The highest `seq` told of since the reading of the inbox began that is under way. */
  #heard = 0;

  constructor({ after, newest, window }: DeliveryStart) {
    this.#sent = after;
    this.#acked = after;
    this.#newest = Math.max(after, newest);
    this.#window = window;
  }

  /** The highest `seq` that was sent; all from the start to here were. */
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

  /** An entry came. A duplicate is dropped, an early one kept while there is place for it. */
  arrive(entry: Entry): void {
    this.learn(entry.seq);
    this.#keep(entry.seq, entry);
  }

  /** The inbox itself was read, and does not have these any more. */
  skip({ from, to }: SkippedRange): void {
    this.learn(to);
    const begin = Math.max(from, this.#sent + 1);
    if (begin <= to) this.#keep(begin, { from: begin, to });
  }

  /** The inbox goes up to `newest` at least. */
  learn(newest: number): void {
    this.#heard = Math.max(this.#heard, newest);
    this.#newest = Math.max(this.#newest, newest);
  }

  /** The device has everything through `seq`. False when that was not sent: then nothing changes. */
  acknowledge(seq: number): boolean {
    if (seq > this.#sent) return false;
    if (seq > this.#acked) this.#acked = seq;
    if (this.#skipped !== null) this.#skipped = partsBeyond(this.#skipped, this.#acked);
    return true;
  }

  /** What has its turn, taken out to be sent now; null when it is not here or the window is full. */
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

  /** True when entries came before their turn. */
  get hasEarly(): boolean {
    return this.#ahead !== null && this.#ahead.size > 0;
  }

  /** The inbox is about to be read: what is told from here on may be newer than what the reading will show. */
  beginReading(): void {
    this.#heard = 0;
  }

  /** The inbox itself was read and ends at `newest`: what was told before of entries beyond is not true. */
  correct(newest: number): void {
    this.#newest = Math.max(newest, this.#heard, this.#sent);
    for (const seq of this.#ahead?.keys() ?? []) if (seq > this.#newest) this.#ahead?.delete(seq);
  }

  /** What is missing now: null when the next entry is here, does not exist yet, or may not be sent. */
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

  /** What was kept for a turn within the range has lost it; Postgres is asked for what a range goes on with. */
  #pass(range: SkippedRange): void {
    this.#sent = range.to;
    this.#skipped = [...(this.#skipped ?? []), range];
    for (const seq of this.#ahead?.keys() ?? []) if (seq <= range.to) this.#ahead?.delete(seq);
  }
}

/** What of the ranges lies beyond `seq`; null for nothing. */
function partsBeyond(ranges: readonly SkippedRange[], seq: number): SkippedRange[] | null {
  const beyond = ranges
    .filter(({ to }) => to > seq)
    .map(({ from, to }) => ({ from: Math.max(from, seq + 1), to }));
  return beyond.length === 0 ? null : beyond;
}
