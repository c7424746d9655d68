import type { Message, SkippedRange } from '@posthorn/protocol';
import { ClientError, inWords } from '../client-error.ts';
import { backoffMs } from '../connection/backoff.ts';
import { Pause } from '../connection/pause.ts';
import { type Cursor, isPromise } from '../stores/store.ts';

/** A message as it is handed to the application, with its place in the inbox. */
export interface Delivery {
  seq: number;
  epoch: string | null;
  message: Message;
  /** True where the gateway could not encode the message's `data`. */
  incomplete?: true;
}

/** A message as it arrives: its epoch is that of the intake. */
type Arrival = Omit<Delivery, 'epoch'>;

/** What waits for the application, in order. */
type Waiting = Arrival | { skipped: SkippedRange } | { caughtUp: number };

/** What the application does with a message. Once it has returned, or its promise has been kept, the message is handled. */
export type MessageHandler = (delivery: Delivery) => unknown;

/** Thrown by a handler that leaves, such as a loop that was broken off: no error, but not handled either. */
export const LEFT = Symbol('left');

/** What the intake tells its owner. */
export interface IntakeHost {
  /** Keeps the cursor; called in the same turn in which a synchronous handler returned. */
  keepCursor(cursor: Cursor): void | Promise<void>;
  /** Everything through `seq` has been handled, and the cursor is kept. */
  onHandled(seq: number): void;
  /** In the place of these messages, which the server does not keep any more. */
  onSkipped(range: SkippedRange): void;
  onCaughtUp(seq: number): void;
  onError(error: ClientError): void;
}

/**
 * More than a gateway may have in flight (PROTOCOL §2.3, `DELIVERY_WINDOW`); a page of an inbox is asked for only
 * when what waits here is less than a page.
 */
const MAX_WAITING = 10_500;
const RETRY = { baseMs: 1_000, capMs: 30_000 };

/**
 * The one way of a message to the application, wherever it came from: each `seq` once, in order, the next one only
 * when the one before has been handled.
 */
export class Intake {
  readonly #host: IntakeHost;
  readonly #handlers = new Set<MessageHandler>();
  readonly #pause = new Pause();
  #waiting: Waiting[] = [];
  #handled: Cursor | undefined;
  /** The newest `seq` that was taken. */
  #taken = 0;
  /** Counts resets: what was begun before one does not count after it. */
  #life = 0;
  #pumping: Promise<void> | undefined;
  #isClosed = false;

  constructor(host: IntakeHost) {
    this.#host = host;
  }

  /** What was handled before a reload. */
  open(cursor: Cursor | undefined): void {
    this.#handled = cursor;
    this.#taken = cursor?.seq ?? 0;
  }

  /** Everything through this has been handled; undefined where nothing is known. */
  get cursor(): Cursor | undefined {
    return this.#handled;
  }

  /** Everything through this was taken: the next one is one more. Undefined where the server has to say where it begins. */
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
   * A connection begins at `cursor`. Returns true where that is somewhere else than where this client was: what waited
   * is of another life of the inbox, and dropped.
   */
  begin(cursor: Cursor, isReset: boolean): boolean {
    const before = this.#handled;
    if (before !== undefined && !isReset) {
      // The first gateway that names the epoch.
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

  /** Takes what comes next. A `gap` is left alone: whoever brought it has to begin again from `position`. */
  offer(arrival: Arrival): 'taken' | 'duplicate' | 'gap' {
    return this.#take(arrival, arrival.seq, arrival.seq);
  }

  /** The same where there is nothing to hand out any more: the application is told once it is done with what came before. */
  offerSkipped(range: SkippedRange): 'taken' | 'duplicate' | 'gap' {
    return this.#take(
      { skipped: { from: Math.max(range.from, this.#taken + 1), to: range.to } },
      range.from,
      range.to,
    );
  }

  /** Everything that waited on the server has been taken: told once all of it is handled. */
  markCaughtUp(): void {
    // One mark behind the last message is enough.
    const last = this.#waiting.at(-1);
    if (last !== undefined && 'caughtUp' in last) return;
    this.#waiting.push({ caughtUp: this.#taken });
    this.#pump();
  }

  /** Messages wait until there is a handler. With several a message is handled when all are done with it. */
  handle(handler: MessageHandler): () => void {
    this.#handlers.add(handler);
    this.#pump();
    return () => void this.#handlers.delete(handler);
  }

  /** Hands out nothing more; waits for the handler that is at work, at most `withinMs`. */
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
      // What came, and who came, after the last look.
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
    // Not within the call that brought the message: a handler may close the client, or send.
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

  /** True when the application was told, and the cursor is kept behind it. */
  async #pass(range: SkippedRange, life: number): Promise<boolean> {
    this.#host.onSkipped(range);
    await this.#finish(range.to, life);
    return true;
  }

  /** True when it was handled and the cursor is kept. Tried again, with waits between, by those handlers that failed. */
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
        const text = `a handler failed at ${delivery.seq}, which it gets again: ${inWords(thrown)}`;
        return new ClientError('handler', text, { cause: thrown });
      }
    }
    if (done.size === 0 || life !== this.#life) return undefined;
    const keeping = this.#finish(delivery.seq, life);
    if (isPromise(keeping)) await keeping;
    return undefined;
  }

  /** Everything through `seq` is handled: keeps that, then tells. */
  #finish(seq: number, life: number): void | Promise<void> {
    const tell = (): void => {
      if (life === this.#life) this.#host.onHandled(seq);
    };
    const keeping = this.#keep({ epoch: this.#epoch, seq });
    return isPromise(keeping) ? keeping.then(tell) : tell();
  }

  /** In this very turn where the store is that fast, so that a reload cannot come between a handler and its cursor. */
  #keep(cursor: Cursor): void | Promise<void> {
    this.#handled = cursor;
    return this.#host.keepCursor(cursor);
  }
}
