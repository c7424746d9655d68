import { connect, type Socket } from 'node:net';
import type { Address } from './web-socket';

/**
 * Called with an answer: its status, or 0 if the connection broke, and the part of the body that came with the
 * headers.
 */
export type OnAnswer = (status: number, text: string) => void;

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

/** A keep-alive connection with one request in flight at a time. It reconnects by itself after a break. */
export class HttpConnection {
  readonly #address: Address;
  #socket: Socket | null = null;
  #onAnswer: OnAnswer | null = null;
  #text = '';
  #isClosed = false;

  constructor(address: Address) {
    this.#address = address;
  }

  get isIdle(): boolean {
    return this.#onAnswer === null;
  }

  /** POSTs a JSON body of ASCII. Must not be called while a request is in flight. */
  post(path: string, token: string, body: string, onAnswer: OnAnswer): void {
    this.#request(
      `POST ${path} HTTP/1.1\r\nHost: ${this.#address.host}\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      onAnswer,
    );
  }

  /** GETs a path. Must not be called while a request is in flight. */
  get(path: string, token: string, onAnswer: OnAnswer): void {
    this.#request(
      `GET ${path} HTTP/1.1\r\nHost: ${this.#address.host}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      onAnswer,
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #request(request: string, onAnswer: OnAnswer): void {
    if (this.#onAnswer !== null) throw new Error('a request is under way on this connection');
    this.#onAnswer = onAnswer;
    this.#text = '';
    this.#socket ??= this.#open();
    this.#socket.write(request, 'latin1');
  }

  #open(): Socket {
    const socket = connect({ ...this.#address, noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#take(String(text)));
    socket.on('error', ignore); // 'close' follows
    socket.on('close', () => {
      this.#socket = null;
      if (!this.#isClosed) this.#settle(0, '');
    });
    return socket;
  }

  #take(chunk: string): void {
    this.#text = this.#text === '' ? chunk : this.#text + chunk;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) return;
    const length = Number(CONTENT_LENGTH.exec(this.#text)?.[1] ?? 0);
    if (this.#text.length < end + 4 + length) return;
    this.#settle(Number(this.#text.slice(9, 12)), this.#text.slice(end + 4));
  }

  #settle(status: number, text: string): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(status, text);
  }
}

function ignore(): void {}
