import type { ConnectionTable } from '../holding/connection-table';
import type { Session } from '../session/session';

/** The limits that the clock enforces. Times are in ms. */
export interface ConnectionClockOptions {
  heartbeatMs: number;
  slowConsumerMs: number;
  /** Unsent bytes. Below this number sending goes on, so a connection cannot be too slow. */
  maxBufferedBytes: number;
  table: ConnectionTable;
  /** A monotonic clock, in ms. */
  now(): number;
}

/** Each connection is checked about once in this time. */
const ROUND_MS = 1_000;
/** A round has this many steps: checking thousands of connections at once would delay all messages. */
const STEPS = 20;
/** The same leeway as in token verification (PROTOCOL §3.2). */
const TOKEN_LEEWAY_MS = 5_000;

/**
 * One timer for all connections. It pings them, and closes those that were silent for 1.5 heartbeats, read too slowly,
 * or have an expired token (PROTOCOL §5.6).
 */
export class ConnectionClock {
  readonly #options: ConnectionClockOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #stepMs: number;
  #lastTickMs: number;
  /** The connections that this round has not checked yet. */
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

  /** Checks the next share of the connections. */
  tick(): void {
    const { table } = this.#options;
    const now = this.#options.now();
    const lag = now - this.#lastTickMs - this.#stepMs;
    this.#lastTickMs = now;
    // While this process stood still it could not hear its peers. Do not count that time against them.
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
    // The ping waits behind buffered data, so the peer cannot answer it yet. A peer that takes the data is alive.
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
