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
  /** The close code; 1006 if the connection broke, was refused, or was given up as dead. */
  code: number;
  reason: string;
  /** Whether a welcome came. If not, the connect may have been refused; browsers do not say why. */
  isWelcomed: boolean;
  /** From a `goodbye` frame. */
  reconnectAfterMs?: number;
}

/** The callbacks of a connection. After `onEnd` none is called. */
export interface ConnectionHost {
  onWelcome(welcome: Welcome): void;
  onFrame(frame: ServerFrame): void;
  onEnd(end: ConnectionEnd): void;
}

const OPEN = 1;
const BROKEN = 1006;
/** The gateway gives up after `UPGRADE_TIMEOUT_MS`; the rest is for a slow network. */
const WELCOME_BOUND_MS = 15_000;

/** One WebSocket from open to end. Dropping it does not wait for the other side. */
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

  /** Returns false if the frame cannot be sent. Important state is sent again on the next connection. */
  send(frame: ClientFrame): boolean {
    if (this.#isEnded || this.#socket.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Checks whether the other side still answers, because the network may have changed. */
  probe(): void {
    this.#watchdog?.probe();
  }

  /** Ends the connection normally. */
  close(): void {
    this.#settle();
    this.#socket.close(1000);
  }

  /** Ends the connection as broken. */
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
      onSilence: () => this.drop('the gateway did not answer'),
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
