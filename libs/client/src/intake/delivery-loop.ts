import { type Delivery, LEFT, type MessageHandler } from './intake.ts';

/** A message that the loop waits for, or works on. */
interface Held {
  delivery: Delivery;
  done: () => void;
  leave: () => void;
}

/**
 * `for await` over messages. Asking for the next message marks the one before as handled. Leaving the loop by
 * `break`, `return` or an error leaves its message unhandled, so it is handed out again.
 */
export class DeliveryLoop implements AsyncIterableIterator<Delivery> {
  readonly #stopHandling: () => void;
  #offered: Held | undefined;
  #current: Held | undefined;
  #wake: (() => void) | undefined;
  #isOver = false;

  /** `handle` registers a handler and returns a function that removes it. */
  constructor(handle: (handler: MessageHandler) => () => void) {
    this.#stopHandling = handle((delivery) => this.#offer(delivery));
  }

  async next(): Promise<IteratorResult<Delivery>> {
    this.#current?.done();
    this.#current = undefined;
    while (this.#offered === undefined && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#current = this.#offered;
    this.#offered = undefined;
    if (this.#current === undefined) return { done: true, value: undefined };
    return { done: false, value: this.#current.delivery };
  }

  async return(): Promise<IteratorResult<Delivery>> {
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the loop: no more messages come. */
  end(): void {
    this.#isOver = true;
    this.#stopHandling();
    this.#current?.leave();
    this.#offered?.leave();
    this.#current = undefined;
    this.#offered = undefined;
    this.#wake?.();
  }

  #offer(delivery: Delivery): Promise<void> {
    return new Promise((done, fail) => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a sign to the intake, not an error
      this.#offered = { delivery, done, leave: () => fail(LEFT) };
      this.#wake?.();
    });
  }
}
