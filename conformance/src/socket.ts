import { once } from 'node:events';
import { type RawData, WebSocket } from 'ws';
import type { Json } from './pattern';

/** A frame of either side. @throws SyntaxError if it is not JSON */
export function jsonIn(data: RawData): Json {
  const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
  return JSON.parse(bytes.toString('utf8')) as Json;
}

/** A connection of a transcript: its frames in order, and how it ended. */
export class Socket {
  readonly #ws: WebSocket;
  readonly #frames: Json[] = [];
  readonly #withinMs: number;
  #end: { code: number; reason: string } | undefined;
  #wake: () => void = () => undefined;

  private constructor(ws: WebSocket, withinMs: number) {
    this.#ws = ws;
    this.#withinMs = withinMs;
    ws.on('message', (data) => {
      this.#frames.push(jsonIn(data));
      this.#wake();
    });
    ws.on('close', (code, reason) => {
      this.#end = { code, reason: reason.toString() };
      this.#wake();
    });
    ws.on('error', () => undefined); // close follows
  }

  /** @throws Error when the upgrade is refused */
  static async open(url: string, token: string, withinMs: number): Promise<Socket> {
    const ws = new WebSocket(url, ['posthorn.v1'], { headers: { authorization: `Bearer ${token}` } });
    const socket = new Socket(ws, withinMs);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
    });
    return socket;
  }

  send(data: string | Buffer): void {
    this.#ws.send(data, { binary: typeof data !== 'string' });
  }

  /** The next frame for which `isSkipped` is false. @throws Error if the connection ends, or no frame comes in time */
  async next(isSkipped: (frame: Json) => boolean): Promise<Json> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined && !isSkipped(frame)) return frame;
      if (frame === undefined && this.#end !== undefined)
        throw new Error(`the connection ended with ${this.#end.code} ${this.#end.reason}`);
      if (frame === undefined) await this.#news();
    }
  }

  /** The close code. @throws Error if the connection does not end in time */
  async ended(): Promise<number> {
    while (this.#end === undefined) await this.#news();
    return this.#end.code;
  }

  async close(): Promise<void> {
    this.#ws.close(1000);
    await this.ended();
  }

  cut(): void {
    this.#ws.terminate();
  }

  async #news(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => reject(new Error(`nothing came within ${this.#withinMs} ms`)), this.#withinMs);
    }).finally(() => clearTimeout(timer));
  }
}

/** Requests an upgrade that should be refused. */
export async function askUpgrade(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: Json }> {
  const ws = new WebSocket(url, ['posthorn.v1'], { headers });
  ws.on('error', () => undefined);
  const [, response] = (await Promise.race([
    once(ws, 'unexpected-response'),
    once(ws, 'open').then(() => {
      ws.terminate();
      throw new Error('the upgrade was not refused');
    }),
  ])) as [unknown, AsyncIterable<Buffer> & { statusCode?: number }];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return { status: response.statusCode ?? 0, body: text === '' ? null : (JSON.parse(text) as Json) };
}
