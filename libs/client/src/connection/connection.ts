import {
  BEARER_SUBPROTOCOL_PREFIX,
  type ClientFrame,
  type ServerFrame,
  SUBPROTOCOL,
} from '@posthorn/protocol';
import { parseServerFrame } from './server-frame.ts';
import { Watchdog } from './watchdog.ts';
import type { WebSocketClass, WebSocketLike } from './web-socket.ts';

export type Welcome = Extract<ServerFrame, { type: 'welcome' }>;

/** How a connection ended. */
export interface ConnectionEnd {
  /** The close code; 1006 where it broke, was refused, or was given up as dead. */
  code: number;
  reason: string;
  /** Whether there was a welcome: where not, it may have been refused, and browsers do not say why. */
  isWelcomed: boolean;
  /** Of a `goodbye`. */
  reconnectAfterMs?: number;
}

/** What a connection tells its owner. After `onEnd` it tells nothing. */
export interface ConnectionHost {
  onWelcome(welcome: Welcome): void;
  onFrame(frame: ServerFrame): void;
  onEnd(end: ConnectionEnd): void;
}

const OPEN = 1;
const BROKEN = 1006;
/** The gateway itself gives up after `UPGRADE_TIMEOUT_MS`; a slow network has its share. */
const WELCOME_BOUND_MS = 15_000;

/** One WebSocket from its opening to its end. Whoever drops it does not wait for the other side. */
export class Connection {
  readonly #socket: WebSocketLike;
  readonly #host: ConnectionHost;
  readonly #welcomeTimer: ReturnType<typeof setTimeout>;
  #watchdog: Watchdog | undefined;
  #isEnded = false;
  #reconnectAfterMs: number | undefined;

  constructor(socketClass: WebSocketClass, url: string, token: string, host: ConnectionHost) {
    this.#host = host;
    this.#socket = new socketClass(url, [SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token]);
    this.#welcomeTimer = setTimeout(() => this.drop('no welcome'), WELCOME_BOUND_MS);
    this.#socket.addEventListener('message', ({ data }: { data: unknown }) => this.#onMessage(data));
    this.#socket.addEventListener('close', ({ code, reason }: { code: number; reason: string }) => {
      this.#end(code, reason);
    });
    this.#socket.addEventListener('error', () => undefined); // close follows
  }

  /** False where it cannot be sent; what has to arrive is said again on the next connection. */
  send(frame: ClientFrame): boolean {
    if (this.#isEnded || this.#socket.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** The network may have changed: finds out whether the other side is still there. */
  probe(): void {
    this.#watchdog?.probe();
  }

  /** Ends it as one that is done. */
  close(): void {
    this.#settle();
    this.#socket.close(1000);
  }

  /** Gives it up as broken. */
  drop(reason: string): void {
    if (this.#isEnded) return;
    this.#end(BROKEN, reason);
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close();
  }

  #onMessage(data: unknown): void {
    if (this.#isEnded) return;
    this.#watchdog?.heard();
    const frame = parseServerFrame(data);
    if (frame === undefined) return;
    if (frame.type === 'goodbye') this.#reconnectAfterMs = frame.reconnectAfterMs;
    if (frame.type !== 'welcome') {
      this.#host.onFrame(frame);
      return;
    }
    clearTimeout(this.#welcomeTimer);
    this.#watchdog = new Watchdog(frame.heartbeatMs, {
      ping: () => void this.send({ type: 'ping' }),
      onSilence: () => this.drop('nothing was heard of the gateway'),
    });
    this.#host.onWelcome(frame);
  }

  #end(code: number, reason: string): void {
    if (this.#isEnded) return;
    const isWelcomed = this.#watchdog !== undefined;
    this.#settle();
    this.#host.onEnd({
      code,
      reason,
      isWelcomed,
      ...(this.#reconnectAfterMs === undefined ? {} : { reconnectAfterMs: this.#reconnectAfterMs }),
    });
  }

  #settle(): void {
    this.#isEnded = true;
    clearTimeout(this.#welcomeTimer);
    this.#watchdog?.stop();
  }
}
