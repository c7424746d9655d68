import type { ConnectionTable } from './connection-table';
import type { Session } from './session';

/** What the clock watches for, in ms. */
export interface ConnectionClockOptions {
  heartbeatMs: number;
  slowConsumerMs: number;
  /** Only a connection that sending pauses for can be too slow, bytes. */
  maxBufferedBytes: number;
  table: ConnectionTable;
  /** Milliseconds; never goes back. */
  now(): number;
}

const TICK_MS = 1_000;
/** The leeway that token verification has, too (PROTOCOL §3.2). */
const TOKEN_LEEWAY_MS = 5_000;

/**
 * One timer for all connections: pings, drops those not heard for 1.5 heartbeats, those that read too slowly, and
 * those whose token ended.
 */
export class ConnectionClock {
  readonly #options: ConnectionClockOptions;
  readonly #timer: NodeJS.Timeout;
  #lastTickMs: number;

  constructor(options: ConnectionClockOptions) {
    this.#options = options;
    this.#lastTickMs = options.now();
    this.#timer = setInterval(
      () => this.tick(),
      Math.min(TICK_MS, options.heartbeatMs / 4, options.slowConsumerMs / 4),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at every connection once. */
  tick(): void {
    const now = this.#options.now();
    const lag = now - this.#lastTickMs - TICK_MS;
    this.#lastTickMs = now;
    for (const session of this.#options.table.all()) {
      // What came while this process stood still was not heard: that is no fault of the peer's.
      if (lag > TICK_MS) excuse(session, lag);
      this.#check(session, now);
    }
  }

  #check(session: Session, now: number): void {
    const { transport } = session;
    if (transport === null) return;
    const { heartbeatMs, slowConsumerMs, maxBufferedBytes } = this.#options;
    if (Date.now() > session.tokenExpiresAtMs + TOKEN_LEEWAY_MS) return session.close('tokenExpired');
    const progress = transport.progress;
    // Our ping waits behind what still leaves: whoever takes that lives, and could not answer yet.
    if (transport.bufferedBytes > 0 && progress > session.lastProgress) session.lastHeardMs = now;
    if (now - session.lastHeardMs > 1.5 * heartbeatMs) return session.close('noPong');
    if (transport.bufferedBytes < maxBufferedBytes || progress > session.lastProgress) {
      session.lastProgress = progress;
      session.lastProgressMs = now;
    } else if (now - session.lastProgressMs > slowConsumerMs) {
      return session.close('tooSlow');
    }
    if (now - session.lastPingMs >= heartbeatMs) {
      session.lastPingMs = now;
      transport.ping();
    }
    session.pump();
  }
}

function excuse(session: Session, lagMs: number): void {
  session.lastHeardMs += lagMs;
  session.lastProgressMs += lagMs;
}
