import type { ConnectionTable } from '../holding/connection-table';
import type { Session } from '../session/session';

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

/** Each connection is looked at about this often, */
const ROUND_MS = 1_000;
/** in so many steps: looking at thousands at once would keep all messages waiting. */
const STEPS = 20;
/** The leeway that token verification has, too (PROTOCOL §3.2). */
const TOKEN_LEEWAY_MS = 5_000;

/**
 * One timer for all connections: pings, drops those not heard for 1.5 heartbeats, those that read too slowly, and
 * those whose token ended.
 */
export class ConnectionClock {
  readonly #options: ConnectionClockOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #stepMs: number;
  #lastTickMs: number;
  /** Those of this round that are still to come. */
  #round: Iterator<Session>;

  constructor(options: ConnectionClockOptions) {
    this.#options = options;
    this.#lastTickMs = options.now();
    this.#round = options.table.all();
    this.#stepMs = Math.min(ROUND_MS, options.heartbeatMs / 4, options.slowConsumerMs / 4) / STEPS;
    this.#timer = setInterval(() => this.tick(), this.#stepMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the next share of the connections. */
  tick(): void {
    const { table } = this.#options;
    const now = this.#options.now();
    const lag = now - this.#lastTickMs - this.#stepMs;
    this.#lastTickMs = now;
    // What came while this process stood still was not heard: that is no fault of the peers'.
    if (lag > ROUND_MS) for (const session of table.all()) excuse(session, lag);
    let isNewRound = false;
    for (let left = Math.ceil(table.size / STEPS); left > 0; left--) {
      let next = this.#round.next();
      if (next.done === true) {
        if (isNewRound) return;
        isNewRound = true;
        this.#round = table.all();
        next = this.#round.next();
      }
      if (next.done !== true) this.#check(next.value, now);
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
