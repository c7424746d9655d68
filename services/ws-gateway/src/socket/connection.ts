import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CloseReason, closeCodes, MAX_FRAME_BYTES, SUBPROTOCOL } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { WebSocket, WebSocketServer } from 'ws';
import type { Session } from '../session/session';
import type { Transport } from '../session/transport';
import { WriteProgress } from './write-progress';

/** A peer that does not finish the closing handshake in this time is cut. */
const CLOSE_TIMEOUT_MS = 2_000;
/** If nothing was written for this long, the gateway cuts the connection without sending the close frame. */
const CLOSE_STALL_MS = 5_000;
const CLOSE_STEP_MS = 50;

/** Called for what a peer sends. */
export interface ConnectionHandlers {
  onText(session: Session, text: string): void;
  /** A ping or pong arrived: the peer is alive. */
  onControl(session: Session, isPing: boolean): void;
  onClose(session: Session, code: number): void;
}

/** Knows its session, so that one listener per event can serve all connections. */
class SessionSocket extends WebSocket {
  session: Session | null = null;
}

/** A separate constant, because the types of ws lack some of these options. */
const serverOptions = {
  noServer: true,
  WebSocket: SessionSocket,
  clientTracking: false,
  maxPayload: MAX_FRAME_BYTES,
  // Our frame limit ends a flood of pings with a close code that says why. ws would only cut the connection.
  maxPendingAutoPongs: 10_000,
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // Never the bearer entry: the answer must not contain the token.
  handleProtocols: () => SUBPROTOCOL,
};

/** Turns upgrade requests into WebSockets and ties each to its session. Only this file uses `ws`. */
export class Connections {
  readonly #server = new WebSocketServer(serverOptions);
  readonly #listeners: ReturnType<typeof listenersFor>;
  readonly #slowConsumerMs: number;
  /** Connections whose close frame waits until earlier data has been written. */
  readonly #closing = new Set<WebSocketTransport>();

  /** @param slowConsumerMs how long the data before a close frame may take to be written */
  constructor(handlers: ConnectionHandlers, slowConsumerMs: number) {
    this.#listeners = listenersFor(handlers);
    this.#slowConsumerMs = slowConsumerMs;
  }

  /** Waits up to `withinMs` for close frames to be written, then cuts the connections that remain. */
  async endClosing(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (this.#closing.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, CLOSE_STEP_MS));
    for (const transport of this.#closing) transport.cut();
  }

  /**
   * Answers the upgrade with 101. ws does so synchronously, because the request has been checked.
   * @throws Problem 400 if the peer is already gone
   */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, session: Session): Transport {
    let opened: SessionSocket | null = null;
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      opened = ws;
    });
    if (opened === null) throw problem('malformed_request'); // the peer is already gone
    return this.#tie(opened, socket, session);
  }

  #tie(ws: SessionSocket, socket: Duplex, session: Session): Transport {
    ws.session = session;
    const { error, message, pong, ping, close } = this.#listeners;
    ws.on('error', error).on('message', message).on('pong', pong).on('ping', ping).on('close', close);
    socket.on('drain', () => session.pump());
    return new WebSocketTransport(ws, socket, this.#slowConsumerMs, this.#closing);
  }
}

/** The listeners that all connections share. */
function listenersFor(handlers: ConnectionHandlers) {
  return {
    // ws closes the connection after a protocol error. Without a listener the error would end the process.
    error: () => undefined,
    message: onSession((session, data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
      if (isBinary) session.close('unsupportedData');
      else handlers.onText(session, toText(data));
    }),
    pong: onSession((session) => handlers.onControl(session, false)),
    ping: onSession((session) => handlers.onControl(session, true)),
    close: onSession((session, code: number) => handlers.onClose(session, code)),
  };
}

/** Returns a listener that finds the session in the socket that it is called on. */
function onSession<Args extends unknown[]>(act: (session: Session, ...args: Args) => void) {
  return function listener(this: WebSocket, ...args: Args): void {
    if (this instanceof SessionSocket && this.session !== null) act(this.session, ...args);
  };
}

class WebSocketTransport implements Transport {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #progress: WriteProgress;
  readonly #slowConsumerMs: number;
  readonly #closing: Set<WebSocketTransport>;
  #isCorked = false;
  #isClosing = false;
  #closeTimer: NodeJS.Timeout | null = null;

  constructor(ws: WebSocket, socket: Duplex, slowConsumerMs: number, closing: Set<WebSocketTransport>) {
    this.#ws = ws;
    this.#socket = socket;
    this.#progress = new WriteProgress(socket);
    this.#slowConsumerMs = slowConsumerMs;
    this.#closing = closing;
  }

  get isOpen(): boolean {
    return !this.#isClosing && this.#ws.readyState === this.#ws.OPEN;
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  get progress(): number {
    return this.#progress.measure();
  }

  send(text: string): void {
    if (!this.isOpen) return;
    this.#cork();
    // As bytes, because `bufferedAmount` would count the characters of a string.
    this.#ws.send(Buffer.from(text), { binary: false });
  }

  ping(): void {
    if (this.isOpen) this.#ws.ping();
  }

  close(reason: CloseReason): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#uncork();
    if (reason === 'tooSlow' || reason === 'noPong') {
      // The close frame may never get through behind data that does not leave, so cut the connection soon.
      this.#shakeHands(reason);
      setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS / 2);
    } else if (this.#ws.bufferedAmount === 0) {
      this.#shakeHands(reason);
    } else {
      this.#closeOnceSent(reason);
    }
  }

  /** Ends the connection without a close frame. */
  cut(): void {
    this.#endWait();
    this.#ws.terminate();
  }

  /** Collects what is sent in one turn of the event loop into one write: a write costs more than a frame. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(() => this.#uncork());
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket.uncork();
  }

  #shakeHands(reason: CloseReason): void {
    this.#ws.close(closeCodes[reason].code, closeCodes[reason].meaning);
  }

  /**
   * Sends the close frame after all earlier data, because its code tells the client whether to reconnect. Cuts the
   * connection if the data takes longer than `slowConsumerMs`, or makes no progress for `CLOSE_STALL_MS`.
   */
  #closeOnceSent(reason: CloseReason): void {
    const startedAt = performance.now();
    let progress = this.progress;
    let progressAt = startedAt;
    this.#closing.add(this);
    this.#closeTimer = setInterval(() => {
      const now = performance.now();
      const current = this.progress;
      if (current > progress) progressAt = now;
      progress = current;
      if (this.#ws.readyState !== this.#ws.OPEN) this.#endWait();
      else if (this.#ws.bufferedAmount === 0) {
        this.#endWait();
        this.#shakeHands(reason);
      } else if (now - startedAt > this.#slowConsumerMs || now - progressAt > CLOSE_STALL_MS) this.cut();
    }, CLOSE_STEP_MS);
  }

  #endWait(): void {
    if (this.#closeTimer !== null) clearInterval(this.#closeTimer);
    this.#closing.delete(this);
  }
}

function toText(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data).toString('utf8');
}
