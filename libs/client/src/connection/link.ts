import { closeCodes, mayReconnect, type ServerFrame } from '@posthorn/protocol';
import { ClientError, inWords } from '../client-error.ts';
import { TokenRefresh } from '../tokens/token-refresh.ts';
import type { TokenSource } from '../tokens/token-source.ts';
import { backoffMs } from './backoff.ts';
import { Connection, type ConnectionEnd, type Welcome } from './connection.ts';
import { Pause } from './pause.ts';
import type { WebSocketClass } from './web-socket.ts';

/** The callbacks of a link. */
export interface LinkHost {
  /** The address of the next connection. */
  url(): string;
  webSocket(): Promise<WebSocketClass>;
  onConnecting(): void;
  /** The connection is up and can be used to send. */
  onWelcome(welcome: Welcome, connection: Connection): void;
  onFrame(frame: ServerFrame): void;
  /** The next attempt is at `retryAtMs`. `refusals` counts the connects in a row without a welcome. */
  onDown(down: { why: string; retryAtMs: number; refusals: number }): void;
  /** The close code forbids a client to reconnect. */
  onStopped(code: number, reason: string): void;
  onError(error: ClientError): void;
}

/** A connection that lived this long was good: the waits start again from the shortest. */
const GOOD_MS = 5_000;
/** The longest wait after a good connection broke. It is random, so that not all clients come back at once. */
const FIRST_WAIT_MS = 1_000;
/** Browsers hide a 401, so it looks like an outage. Every third refusal the client tries a fresh token. */
const FRESH_TOKEN_EVERY = 3;

/** Keeps one connection up. It reconnects with waits, and stays away if the close code says so (PROTOCOL §5.7). */
export class Link {
  readonly #host: LinkHost;
  readonly #tokens: TokenSource;
  readonly #pause = new Pause();
  #connection: Connection | undefined;
  #isStopped = true;
  #failures = 0;
  #refusals = 0;
  #giveUp: ((end: ConnectionEnd) => void) | undefined;

  constructor(tokens: TokenSource, host: LinkHost) {
    this.#tokens = tokens;
    this.#host = host;
  }

  /** Connects, and reconnects until it is stopped. Also works after a close code has stopped it. */
  start(): void {
    if (!this.#isStopped) {
      this.wake();
      return;
    }
    this.#isStopped = false;
    this.#failures = 0;
    void this.#run();
  }

  /** Tries again at once and checks the connection, because the network may have changed or come back. */
  wake(): void {
    this.#pause.end();
    this.#connection?.probe();
  }

  /** Drops the connection and opens a new one, because a frame did not fit. */
  drop(reason: string): void {
    this.#connection?.drop(reason);
  }

  stop(): void {
    this.#isStopped = true;
    this.#pause.end();
    this.#connection?.close();
    this.#giveUp?.({ code: 1000, reason: 'stopped', isWelcomed: false });
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#host.onConnecting();
      const openedAt = Date.now();
      const end = await this.#connectOnce();
      if (this.#isStopped) return;
      if (!mayReconnect(end.code)) {
        this.#isStopped = true;
        this.#host.onStopped(end.code, end.reason);
        return;
      }
      const waitMs = this.#waitAfter(end, Date.now() - openedAt);
      const why = end.reason === '' ? `closed with ${end.code}` : end.reason;
      this.#host.onDown({ why, retryAtMs: Date.now() + waitMs, refusals: this.#refusals });
      await this.#pause.wait(waitMs);
    }
  }

  async #connectOnce(): Promise<ConnectionEnd> {
    let token: string;
    let socketClass: WebSocketClass;
    try {
      socketClass = await this.#host.webSocket();
      token = await this.#tokens.get();
    } catch (thrown) {
      const error = thrown instanceof ClientError ? thrown : new ClientError('gateway', inWords(thrown));
      if (!this.#isStopped) this.#host.onError(error);
      return { code: 1006, reason: error.message, isWelcomed: false };
    }
    if (this.#isStopped) return { code: 1000, reason: '', isWelcomed: false };
    const end = await this.#live(socketClass, token);
    const isTokenInDoubt = !end.isWelcomed && this.#refusals % FRESH_TOKEN_EVERY === FRESH_TOKEN_EVERY - 1;
    if (end.code === closeCodes.tokenExpired.code || isTokenInDoubt) this.#tokens.refuse(token);
    return end;
  }

  #live(socketClass: WebSocketClass, token: string): Promise<ConnectionEnd> {
    return new Promise((resolve) => {
      const refresh = new TokenRefresh(this.#tokens, {
        send: (frame) => connection.send(frame),
        onError: (error) => this.#host.onError(error),
      });
      const finish = (end: ConnectionEnd): void => {
        refresh.stop();
        this.#connection = undefined;
        this.#giveUp = undefined;
        resolve(end);
      };
      this.#giveUp = finish;
      const connection = new Connection(socketClass, this.#host.url(), token, {
        onWelcome: (welcome) => {
          this.#refusals = 0;
          refresh.after(token);
          this.#host.onWelcome(welcome, connection);
        },
        onFrame: (frame) => {
          if (!refresh.takes(frame)) this.#host.onFrame(frame);
        },
        onEnd: finish,
      });
      this.#connection = connection;
    });
  }

  #waitAfter(end: ConnectionEnd, livedMs: number): number {
    if (!end.isWelcomed) this.#refusals += 1;
    if (end.reconnectAfterMs !== undefined) {
      this.#failures = 0;
      return end.reconnectAfterMs;
    }
    if (end.isWelcomed && livedMs >= GOOD_MS) {
      this.#failures = 0;
      return Math.random() * FIRST_WAIT_MS;
    }
    this.#failures += 1;
    return backoffMs(this.#failures);
  }
}
