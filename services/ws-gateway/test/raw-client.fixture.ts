import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { mintToken } from '@posthorn/stack';
import { TEST_SECRET } from '@posthorn/testing';

/** An HTTP answer, as it came. */
export interface RawResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Headers of a good upgrade request, without a token. */
export const upgradeHeaders = {
  Host: 'gateway',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const;

/** A TCP client that speaks HTTP and WebSocket by hand, to say what no library would. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves when the server closed the connection. */
  readonly ended: Promise<void>;
  #received = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', () => undefined); // tests look at the end
    this.socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.ended = new Promise((resolve) => {
      this.socket.once('end', resolve);
      this.socket.once('close', () => resolve());
    });
  }

  /** Connects as `user` and sends a good upgrade request; whatever comes back is not waited for. */
  static async upgrade(port: number, user: string, query = ''): Promise<RawClient> {
    const client = new RawClient(port);
    const token = await mintToken({ user, secret: TEST_SECRET });
    client.request(`GET /v1/connect${query}`, { ...upgradeHeaders, Authorization: `Bearer ${token}` });
    return client;
  }

  /** The same, and waits for the 101. It answers no ping. */
  static async open(port: number, user: string, query = ''): Promise<RawClient> {
    const client = await RawClient.upgrade(port, user, query);
    const { status, body } = await client.response();
    if (status !== 101) throw new Error(`${status}: ${body}`);
    return client;
  }

  /** All bytes so far. */
  get received(): Buffer {
    return this.#received;
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** Writes a request; a header of several values is several headers. */
  request(line: string, headers: Record<string, string | readonly string[]>): void {
    const lines = Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}`),
    );
    this.write(`${[`${line} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`);
  }

  /** The answer, once its head and its Content-Length of body are here. */
  async response(): Promise<RawResponse> {
    for (;;) {
      const text = this.#received.toString();
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        const [first = '', ...lines] = text.slice(0, end).split('\r\n');
        const headers = Object.fromEntries(
          lines.map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim(),
          ]),
        );
        const body = text.slice(end + 4);
        if (Buffer.byteLength(body) >= Number(headers['content-length'] ?? 0)) {
          return { status: Number(first.split(' ')[1]), headers, body };
        }
      }
      await this.#more();
    }
  }

  /** The code of the close frame that the server sends, or 1006 where it ends without one. */
  async closeCode(): Promise<number> {
    const start = this.#received.indexOf('\r\n\r\n') + 4;
    for (;;) {
      const code = closeCodeIn(this.#received.subarray(start));
      if (code !== null) return code;
      if (this.socket.closed || this.socket.readableEnded) return 1006;
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.socket.closed || this.socket.readableEnded)
      throw new Error(`ended after: ${this.#received.toString()}`);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ['data', 'end', 'close']) this.socket.off(event, done);
        resolve();
      };
      for (const event of ['data', 'end', 'close']) this.socket.on(event, done);
    });
  }
}

/** One frame as a client must send it: masked. */
export function frame(opcode: number, payload: Buffer | string, isFinal = true): Buffer {
  const data = Buffer.from(payload);
  const size =
    data.length < 126 ? Buffer.from([0x80 | data.length]) : Buffer.from([0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (data.length >= 126) size.writeBigUInt64BE(BigInt(data.length), 1);
  const mask = randomBytes(4);
  const masked = data.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([(isFinal ? 0x80 : 0) | opcode]), size, mask, masked]);
}

/** Walks unmasked server frames up to a close frame. */
function closeCodeIn(bytes: Buffer): number | null {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const opcode = (bytes[at] ?? 0) & 0x0f;
    let length = (bytes[at + 1] ?? 0) & 0x7f;
    let head = 2;
    if (length === 126) {
      if (at + 4 > bytes.length) return null;
      length = bytes.readUInt16BE(at + 2);
      head = 4;
    } else if (length === 127) {
      if (at + 10 > bytes.length) return null;
      length = Number(bytes.readBigUInt64BE(at + 2));
      head = 10;
    }
    if (at + head + length > bytes.length) return null;
    if (opcode === 8) return length >= 2 ? bytes.readUInt16BE(at + head) : 1005;
    at += head + length;
  }
  return null;
}
