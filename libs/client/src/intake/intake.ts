import type { Message, SkippedRange } from '@posthorn/protocol';
import { ClientError, inWords } from '../client-error.ts';
import { backoffMs } from '../connection/backoff.ts';
import { Pause } from '../connection/pause.ts';
import { type Cursor, isPromise } from '../stores/store.ts';

/** A message for the application, with its position in the inbox. */
export interface Delivery {
  seq: number;
  epoch: string | null;
  message: Message;
  /** True if the gateway could not encode the message's `data`. */
  incomplete?: true;
}

/** A message as it arrives. The intake adds its own epoch. */
type Arrival = Omit<Delivery, 'epoch'>;

/** An item that waits for the application, in order. */
type Waiting = Arrival | { skipped: SkippedRange } | { caughtUp: number };

/** Handles a message. The message counts as handled once the handler has returned, or its promise has resolved. */
export type MessageHandler = (delivery: Delivery) => unknown;

/**
 * Thrown by a handler that leaves, such as a loop that was left. It is not an error, but the message is not handled.
 */
export const LEFT = Symbol('left');

/** The callbacks of the intake. */
export interface IntakeHost {
  /** Stores the cursor. Called in the same turn in which a synchronous handler returned. */
  keepCursor(cursor: Cursor): void | Promise<void>;
  /** Everything up to and including `seq` has been handled, and the cursor is stored. */
  onHandled(seq: number): void;
  /** Called in order, instead of the messages that the server no longer keeps. */
  onSkipped(range: SkippedRange): void;
  onCaughtUp(seq: number): void;
  onError(error: ClientError): void;
}

/**
 * More than a gateway may have in flight (PROTOCOL §2.3, `DELIVERY_WINDOW`). A page of an inbox is requested only
 * when less than a page waits here.
 */
const MAX_WAITING = 10_500;
const RETRY = { baseMs: 1_000, capMs: 30_000 };

/**
 * The only path of a message to the application, whatever its source. Each `seq` comes once and in order, and the
 * next one only after the one before has been handled.
 */
export class Intake {
  readonly #host: IntakeHost;
  readonly #handlers = new Set<MessageHandler>();
  readonly #pause = new Pause();
  #waiting: Waiting[] = [];
  #handled: Cursor | undefined;
  /** The newest `seq` that the intake has taken. */
  #taken = 0;
  /** Counts resets: work that began before a reset is ignored after it. */
  #life = 0;
  #pumping: Promise<void> | undefined;
  #isClosed = false;

  constructor(host: IntakeHost) {
    this.#host = host;
  }

  /** Starts with the cursor of an earlier run. */
  open(cursor: Cursor | undefined): void {
    this.#handled = cursor;
    this.#taken = cursor?.seq ?? 0;
  }

  /** Everything up to and including this has been handled; undefined if nothing is known. */
  get cursor(): Cursor | undefined {
    return this.#handled;
  }

  /** Everything up to and including this has been taken. Undefined if the server must say where to start. */
  get position(): Cursor | undefined {
    return this.#handled && { ...this.#handled, seq: this.#taken };
  }

  get #epoch(): string | null {
    return this.#handled?.epoch ?? null;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * A connection begins at `cursor`. Returns true if this is a reset to another position: waiting messages belong to
   * the old inbox and are dropped.
   */
  begin(cursor: Cursor, isReset: boolean): boolean {
    const before = this.#handled;
    if (before !== undefined && !isReset) {
      // This is the first gateway that names the epoch.
      if (before.epoch !== cursor.epoch) void this.#keep({ ...before, epoch: cursor.epoch });
      return false;
    }
    this.#life += 1;
    this.#waiting = [];
    this.#taken = cursor.seq;
    this.#pause.end();
    void this.#keep(cursor);
    return before !== undefined;
  }

  /** Takes the next message. On `gap` nothing is taken, and the caller must start again from `position`. */
  offer(arrival: Arrival): 'taken' | 'duplicate' | 'gap' {
    return this.#take(arrival, arrival.seq, arrival.seq);
  }

  /**
   * Like `offer`, for a range that is no longer kept. The application learns of it after it has handled what came
   * before.
   */
  offerSkipped(range: SkippedRange): 'taken' | 'duplicate' | 'gap' {
    return this.#take(
      { skipped: { from: Math.max(range.from, this.#taken + 1), to: range.to } },
      range.from,
      range.to,
    );
  }

  /** Everything that waited on the server has been taken. The application learns of it once all of it is handled. */
  markCaughtUp(): void {
    // One mark after the last message is enough.
    const last = this.#waiting.at(-1);
    if (last !== undefined && 'caughtUp' in last) return;
    this.#waiting.push({ caughtUp: this.#taken });
    this.#pump();
  }

  /**
   * Adds a handler. Messages wait until there is one. With several handlers, a message is handled when all are done
   * with it.
   */
  handle(handler: MessageHandler): () => void {
    this.#handlers.add(handler);
    this.#pump();
    return () => void this.#handlers.delete(handler);
  }

  /** Hands out nothing more. Waits at most `withinMs` for a running handler. */
  async close(withinMs: number): Promise<void> {
    this.#isClosed = true;
    this.#pause.end();
    if (this.#pumping === undefined) return;
    const bound = new Pause();
    await Promise.race([this.#pumping, bound.wait(withinMs)]);
    bound.end();
  }

  #take(next: Waiting, from: number, to: number): 'taken' | 'duplicate' | 'gap' {
    if (to <= this.#taken) return 'duplicate';
    if (from > this.#taken + 1 || this.#waiting.length >= MAX_WAITING) return 'gap';
    this.#taken = to;
    this.#waiting.push(next);
    this.#pump();
    return 'taken';
  }

  #pump(): void {
    if (this.#pumping !== undefined) return;
    const pumping = this.#run().finally(() => {
      this.#pumping = undefined;
      // A message or a handler may have come after the last check.
      if (this.#canGoOn()) this.#pump();
    });
    this.#pumping = pumping;
  }

  #canGoOn(): boolean {
    const [first] = this.#waiting;
    if (this.#isClosed || first === undefined) return false;
    return 'caughtUp' in first || this.#handlers.size > 0;
  }

  async #run(): Promise<void> {
    // Do not run handlers within the call that brought the message: a handler may close the client, or send.
    await Promise.resolve();
    while (this.#canGoOn()) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      if ('caughtUp' in first) {
        this.#waiting.shift();
        this.#host.onCaughtUp(first.caughtUp);
        continue;
      }
      const life = this.#life;
      const isHandled =
        'skipped' in first ? await this.#pass(first.skipped, life) : await this.#handOut(first, life);
      if (!isHandled || life !== this.#life) continue;
      this.#waiting.shift();
    }
  }

  /** Reports a skipped range and stores the cursor behind it. Returns true. */
  async #pass(range: SkippedRange, life: number): Promise<boolean> {
    this.#host.onSkipped(range);
    await this.#finish(range.to, life);
    return true;
  }

  /**
   * Returns true when the message was handled and the cursor is stored. Handlers that failed are retried after waits.
   */
  async #handOut(arrival: Arrival, life: number): Promise<boolean> {
    const done = new Set<MessageHandler>();
    const delivery = { ...arrival, epoch: this.#epoch };
    for (let failures = 0; !this.#isClosed && life === this.#life; ) {
      const failure = await this.#tryAll(delivery, done, life);
      if (failure === undefined) return done.size > 0 && life === this.#life;
      failures += 1;
      this.#host.onError(failure);
      await this.#pause.wait(backoffMs(failures, RETRY));
    }
    return false;
  }

  async #tryAll(
    delivery: Delivery,
    done: Set<MessageHandler>,
    life: number,
  ): Promise<ClientError | undefined> {
    for (const handler of [...this.#handlers].filter((one) => !done.has(one))) {
      try {
        const working = handler(delivery);
        if (isPromise(working)) await working;
        done.add(handler);
      } catch (thrown) {
        if (thrown === LEFT) continue;
        const text = `a handler failed at seq ${delivery.seq} and will get it again: ${inWords(thrown)}`;
        return new ClientError('handler', text, { cause: thrown });
      }
    }
    if (done.size === 0 || life !== this.#life) return undefined;
    const keeping = this.#finish(delivery.seq, life);
    if (isPromise(keeping)) await keeping;
    return undefined;
  }

  /** Everything up to and including `seq` is handled: stores the cursor, then reports it. */
  #finish(seq: number, life: number): void | Promise<void> {
    const tell = (): void => {
      if (life === this.#life) this.#host.onHandled(seq);
    };
    const keeping = this.#keep({ epoch: this.#epoch, seq });
    return isPromise(keeping) ? keeping.then(tell) : tell();
  }

  /** A synchronous store is written in this turn, so that a reload cannot come between a handler and its cursor. */
  #keep(cursor: Cursor): void | Promise<void> {
    this.#handled = cursor;
    return this.#host.keepCursor(cursor);
  }
}
