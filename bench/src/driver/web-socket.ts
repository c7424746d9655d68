import { connect, type Socket } from 'node:net';

/** Where a server listens. */
export interface Address {
  host: string;
  port: number;
}

/** The callbacks of a connection. */
export interface WebSocketHandler {
  /** The server accepted the WebSocket. */
  onOpen(): void;
  /** The payload of a text frame. Characters outside of ASCII come as their UTF-8 bytes. */
  onText(text: string): void;
  /**
   * Called once at the end: with the status of a refused upgrade, the code of a close frame, or null if the
   * connection broke.
   */
  onEnd(code: number | null): void;
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const HEADERS_END = Buffer.from('\r\n\r\n');

/**
 * A minimal WebSocket client, so that the bench does not measure the load generator. It trusts its server to send
 * complete frames. Its masks are zero, which cost the server as much as any other mask.
 */
export class BenchWebSocket {
  readonly #socket: Socket;
  readonly #handler: WebSocketHandler;
  #rest: Buffer | null = null;
  #isOpen = false;
  #endCode: number | null = null;

  constructor({ host, port }: Address, path: string, headers: string, handler: WebSocketHandler) {
    this.#handler = handler;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', ignore); // 'close' follows
    this.#socket.on('close', () => handler.onEnd(this.#endCode));
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cG9zdGhvcm4tYmVuY2gtMQ==\r\n${headers}\r\n`,
    );
  }

  /** Sends a text frame of ASCII. */
  send(text: string): void {
    if (!this.#socket.destroyed) this.#socket.write(frame(TEXT, text));
  }

  /** Ends the connection without a close frame, like a device that loses its network. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    const used = this.#isOpen ? this.#takeFrames(data, 0) : this.#takeAnswer(data);
    if (used < data.length) this.#rest = data.subarray(used);
  }

  #takeAnswer(data: Buffer): number {
    const end = data.indexOf(HEADERS_END);
    if (end === -1) return 0;
    const status = Number(data.toString('latin1', 9, 12));
    if (status !== 101) {
      this.#endCode = status;
      this.#socket.destroy();
      return data.length;
    }
    this.#isOpen = true;
    this.#handler.onOpen();
    return this.#takeFrames(data, end + HEADERS_END.length);
  }

  /** Returns the position of the first incomplete frame. */
  #takeFrames(data: Buffer, from: number): number {
    let at = from;
    for (;;) {
      if (data.length - at < 2) return at;
      const opcode = (data[at] ?? 0) & 15;
      let length = data[at + 1] ?? 0;
      let start = at + 2;
      if (length === 126) {
        if (data.length < start + 2) return at;
        length = data.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (data.length < start + 8) return at;
        length = Number(data.readBigUInt64BE(start));
        start += 8;
      }
      const end = start + length;
      if (data.length < end) return at;
      if (opcode === TEXT) this.#handler.onText(data.toString('latin1', start, end));
      else if (opcode === PING) this.#socket.write(frame(PONG, data.toString('latin1', start, end)));
      else if (opcode === CLOSE) {
        this.#endCode = length >= 2 ? data.readUInt16BE(start) : 1005;
        this.#socket.end();
      }
      at = end;
    }
  }
}

function frame(opcode: number, text: string): Buffer {
  const { length } = text;
  const header = length < 126 ? 2 : 4;
  const bytes = Buffer.alloc(header + 4 + length); // with a mask of four zeros
  bytes[0] = 128 | opcode;
  if (length < 126) bytes[1] = 128 | length;
  else {
    bytes[1] = 128 | 126;
    bytes.writeUInt16BE(length, 2);
  }
  bytes.write(text, header + 4, 'latin1');
  return bytes;
}

function ignore(): void {}
