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

/** Where a connection's delivery begins and how far ahead it may go. */
export interface DeliveryStart {
  /** Delivery begins with `after` + 1. */
  after: number;
  /** The newest `seq` of the inbox. */
  newest: number;
  /** Unacknowledged entries at most. */
  window: number;
}

/** Entries that came before their turn are kept up to this many; the others stay in Postgres. */
const MAX_AHEAD = 64;

/**
 * What one connection is sent: every `seq` after the start in its turn, each once, and no more than the window
 * unacknowledged. Entries come from anywhere, in any order, any number of times. Pure: no socket, no clock, no store.
 */
export class Delivery {
  readonly #window: number;
  /** Null while there is none: most connections are idle, and an empty map is half of what they need here. */
  #ahead: Map<number, Entry> | null = null;
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
    return this.#window - (this.#sent - this.#acked);
  }

  /** Sent and not acknowledged. */
  get inFlight(): number {
    return this.#sent - this.#acked;
  }

  /** An entry came. A duplicate is dropped, an early one kept while there is place for it. */
  arrive(entry: Entry): void {
    this.learn(entry.seq);
    if (entry.seq <= this.#sent) return;
    this.#ahead ??= new Map();
    if (entry.seq > this.#sent + 1 && this.#ahead.size >= MAX_AHEAD) return;
    this.#ahead.set(entry.seq, entry);
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
    return true;
  }

  /** The entry whose turn it is, taken out to be sent now; null when it is not here or the window is full. */
  next(): Entry | null {
    if (this.room <= 0) return null;
    const entry = this.#ahead?.get(this.#sent + 1);
    if (entry === undefined) return null;
    this.#ahead?.delete(entry.seq);
    this.#sent = entry.seq;
    return entry;
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
}
