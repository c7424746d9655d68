import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type CloseReason, closeCodes, MAX_FRAME_BYTES, SUBPROTOCOL } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Session } from './session';
import type { Transport } from './transport';

/** A peer that does not finish the closing handshake is cut after this. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What is done with what comes from a peer. */
export interface ConnectionHandlers {
  onText(session: Session, text: string): void;
  /** A ping or pong: the peer lives. */
  onControl(session: Session, isPing: boolean): void;
  onClose(session: Session, code: number): void;
}

/** A constant of its own, because the types of ws lack some of them. */
const serverOptions = {
  noServer: true,
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
  readonly #handlers: ConnectionHandlers;

  constructor(handlers: ConnectionHandlers) {
    this.#handlers = handlers;
  }

  /** Answers the upgrade with 101. The request was checked before, so it is answered at once. */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, session: Session): Transport {
    let opened: WebSocket | null = null;
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      opened = ws;
    });
    if (opened === null) throw problem('malformed_request'); // the peer is gone already
    return this.#tie(opened, socket, session);
  }

  #tie(ws: WebSocket, socket: Duplex, session: Session): Transport {
    const handlers = this.#handlers;
    // ws closes by itself after a protocol error; without a listener the error would end the process.
    ws.on('error', () => undefined);
    ws.on('message', (data, isBinary) => {
      if (isBinary) session.close('unsupportedData');
      else handlers.onText(session, toText(data));
    });
    ws.on('pong', () => handlers.onControl(session, false));
    ws.on('ping', () => handlers.onControl(session, true));
    ws.on('close', (code) => handlers.onClose(session, code));
    socket.on('drain', () => session.pump());
    return new WebSocketTransport(ws, socket);
  }
}

class WebSocketTransport implements Transport {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;

  constructor(ws: WebSocket, socket: Duplex) {
    this.#ws = ws;
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  get progress(): number {
    return this.#socket instanceof Socket ? this.#socket.bytesWritten - this.#socket.writableLength : 0;
  }

  send(text: string): void {
    if (!this.isOpen) return;
    // As bytes: of a string ws would count characters.
    this.#ws.send(Buffer.from(text), { binary: false });
  }

  ping(): void {
    if (this.isOpen) this.#ws.ping();
  }

  close(reason: CloseReason): void {
    this.#ws.close(closeCodes[reason].code, closeCodes[reason].meaning);
    // Behind a full buffer the closing handshake never gets through.
    if (reason === 'tooSlow' || reason === 'noPong')
      setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS / 2);
  }
}

function toText(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data).toString('utf8');
}
