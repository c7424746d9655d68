/** At most so often: frames are limited (PROTOCOL §5.6), and one acknowledgement is for all before it. */
const INTERVAL_MS = 50;
/** But a gateway with half a window unacknowledged is not kept waiting. */
const AT_ONCE = 64;

/** Acknowledges what has been handled, the newest of many. */
export class Acker {
  readonly #send: (seq: number) => boolean;
  #handled = 0;
  #acked = 0;
  #ackedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` returns false where there is no connection: the next one is told by `begin`. */
  constructor(send: (seq: number) => boolean) {
    this.#send = send;
  }

  /** A connection begins: what was handled before is said to it, for nobody knows whether the last one heard it. */
  begin(handled: number): void {
    this.#handled = handled;
    this.#acked = 0;
    this.flush();
  }

  handled(seq: number): void {
    this.#handled = seq;
    const waitMs = this.#ackedAt + INTERVAL_MS - Date.now();
    if (waitMs <= 0 || seq - this.#acked >= AT_ONCE) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), waitMs);
  }

  /** Says it now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#handled <= this.#acked || !this.#send(this.#handled)) return;
    this.#acked = this.#handled;
    this.#ackedAt = Date.now();
  }
}
