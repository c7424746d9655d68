/** At most one acknowledgement per interval: frames are limited (PROTOCOL §5.6), and one acknowledges all before it. */
const INTERVAL_MS = 50;
/**
 * From this many unacknowledged messages on, acknowledge at once: a gateway stops sending when its window (256 by
 * default) is full.
 */
const AT_ONCE = 64;

/** Acknowledges handled messages. One frame with the newest `seq` covers many. */
export class Acker {
  readonly #send: (seq: number) => boolean;
  #handled = 0;
  #acked = 0;
  #ackedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` returns false without a connection. `begin` then acknowledges on the next one. */
  constructor(send: (seq: number) => boolean) {
    this.#send = send;
  }

  /**
   * A connection begins. The client acknowledges what was handled before, because the last connection may have lost
   * it.
   */
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

  /** Sends the acknowledgement now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#handled <= this.#acked || !this.#send(this.#handled)) return;
    this.#acked = this.#handled;
    this.#ackedAt = Date.now();
  }
}
