/** The callbacks of a watchdog. */
export interface WatchdogHost {
  ping(): void;
  /** Nothing was heard for too long, not even an answer to the ping. Called once. */
  onSilence(): void;
}

const PROBE_BOUND_MS = 5_000;
const LOOKS_PER_HEARTBEAT = 4;

/**
 * Finds half-open connections, which look fine but carry nothing. After one heartbeat of silence it pings, and after
 * one and a half it gives up (PROTOCOL §5.6). After the machine slept it pings first, because the silence was the
 * machine's own.
 */
export class Watchdog {
  readonly #host: WatchdogHost;
  readonly #heartbeatMs: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #heardAt = Date.now();
  /** When an answer is due; 0 if no ping is open. */
  #answerBy = 0;
  #probeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(heartbeatMs: number, host: WatchdogHost) {
    this.#heartbeatMs = heartbeatMs;
    this.#host = host;
    this.#timer = setInterval(() => this.#look(), heartbeatMs / LOOKS_PER_HEARTBEAT);
  }

  heard(): void {
    this.#heardAt = Date.now();
    this.#answerBy = 0;
    clearTimeout(this.#probeTimer);
  }

  /** Pings now, and gives up sooner than usual if no answer comes. */
  probe(): void {
    const boundMs = Math.min(PROBE_BOUND_MS, this.#heartbeatMs / 2);
    this.#ask(boundMs);
    clearTimeout(this.#probeTimer);
    this.#probeTimer = setTimeout(() => this.#look(), boundMs + 1);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#probeTimer);
  }

  #look(): void {
    const now = Date.now();
    if (this.#answerBy > 0 && now >= this.#answerBy) {
      this.stop();
      this.#host.onSilence();
    } else if (this.#answerBy === 0 && now - this.#heardAt >= this.#heartbeatMs) {
      this.#ask(this.#heartbeatMs / 2);
    }
  }

  #ask(boundMs: number): void {
    this.#answerBy = Date.now() + boundMs;
    this.#host.ping();
  }
}
