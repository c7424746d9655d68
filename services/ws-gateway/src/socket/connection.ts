import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CloseReason, closeCodes, MAX_FRAME_BYTES, SUBPROTOCOL } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { WebSocket, WebSocketServer } from 'ws';
import type { Session } from '../session/session';
import type { Transport } from '../session/transport';
import { WriteProgress } from './write-progress';

/** A peer that does not finish the closing handshake is cut after this. */
const CLOSE_TIMEOUT_MS = 2_000;
/** What waits to be sent before a close frame is given up when none of it left for this long. */
const CLOSE_STALL_MS = 5_000;
const CLOSE_STEP_MS = 50;

/** What is done with what comes from a peer. */
export interface ConnectionHandlers {
  onText(session: Session, text: string): void;
  /** A ping or pong: the peer lives. */
  onControl(session: Session, isPing: boolean): void;
  onClose(session: Session, code: number): void;
}

/** With its session, so that one listener for each event serves all connections. */
class SessionSocket extends WebSocket {
  session: Session | null = null;
}

/** A constant of its own, because the types of ws lack some of them. */
const serverOptions = {
  noServer: true,
  WebSocket: SessionSocket,
  clientTracking: false,
  maxPayload: MAX_FRAME_BYTES,
  // Our own limit of frames ends a flood of pings, with a close code that says why; ws would just cut it.
  maxPendingAutoPongs: 10_000,
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // Never the bearer entry, which would tell the token to whoever reads the answer.
  handleProtocols: () => SUBPROTOCOL,
};

/** Turns upgrade requests into WebSockets and ties each to its session. The only file that knows `ws`. */
export class Connections {
  readonly #server = new WebSocketServer(serverOptions);
  readonly #listeners: ReturnType<typeof listenersFor>;
  readonly #slowConsumerMs: number;
  /** Those whose close frame waits until what was sent before it has left. */
  readonly #closing = new Set<WebSocketTransport>();

  /** @param slowConsumerMs how long what was sent before a close frame may take to leave */
  constructor(handlers: ConnectionHandlers, slowConsumerMs: number) {
    this.#listeners = listenersFor(handlers);
    this.#slowConsumerMs = slowConsumerMs;
  }

  /** Waits for close frames that have not left, and cuts those that still have not after `withinMs`. */
  async endClosing(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (this.#closing.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, CLOSE_STEP_MS));
    for (const transport of this.#closing) transport.cut();
  }

  /** Answers the upgrade with 101. The request was checked before, so it is answered at once. */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, session: Session): Transport {
    let opened: SessionSocket | null = null;
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      opened = ws;
    });
    if (opened === null) throw problem('malformed_request'); // the peer is gone already
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

/** What is done with each event of a connection: the same functions for all of them. */
function listenersFor(handlers: ConnectionHandlers) {
  return {
    // ws closes by itself after a protocol error; without a listener the error would end the process.
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

/** A listener that finds the session in the socket that it is called on. */
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
    // As bytes: of a string ws would count characters.
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
      // Behind what does not leave the closing handshake never gets through.
      this.#shakeHands(reason);
      setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS / 2);
    } else if (this.#ws.bufferedAmount === 0) {
      this.#shakeHands(reason);
    } else {
      this.#closeOnceSent(reason);
    }
  }

  /** Ends it without a close frame. */
  cut(): void {
    this.#endWait();
    this.#ws.terminate();
  }

  /** What is sent in one turn of the event loop is written at once: a write costs more than the frame. */
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

  /** The code tells the client whether to come back, so it waits for the bytes before it, as long as they leave. */
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
