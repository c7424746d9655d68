import type { IncomingMessage } from 'node:http';
import type { ClientFrame, ServerFrame } from '@posthorn/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import { HANG_MS } from './eventually';

type FrameType = ServerFrame['type'];
type FrameOf<T extends FrameType> = Extract<ServerFrame, { type: T }>;

/** A refused upgrade. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly headers: IncomingMessage['headers'],
    readonly body: string,
  ) {
    super(`the upgrade was refused with ${status}: ${body}`);
  }
}

/** Where a test client connects, and as whom. */
export interface TestClientOptions {
  /** The gateway, `ws://127.0.0.1:PORT`. */
  url: string;
  token: string;
  /** The query parameters: device, after, epoch, ack. */
  query?: Record<string, string>;
  options?: ClientOptions;
}

/** A WebSocket client that queues frames, so that a test takes them one by one and misses none. */
export class TestClient {
  readonly socket: WebSocket;
  /** Resolves with how the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** All frames so far, whether taken or not. */
  readonly frames: ServerFrame[] = [];
  #taken = 0;
  readonly #wakers = new Set<() => void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as ServerFrame);
      this.#wake();
    });
    socket.on('error', () => undefined); // tests check the close code or the refusal
  }

  /** Opens a connection. @throws RefusedError */
  static async connect({ url, token, query = {}, options = {} }: TestClientOptions): Promise<TestClient> {
    const address = `${url}/v1/connect?${new URLSearchParams(query).toString()}`;
    const socket = new WebSocket(address, ['posthorn.v1'], {
      ...options,
      headers: { Authorization: `Bearer ${token}`, ...options.headers },
    });
    const client = new TestClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => reject(new RefusedError(response.statusCode ?? 0, response.headers, body)));
      });
    });
    return client;
  }

  send(frame: ClientFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  sendText(text: string): void {
    this.socket.send(text);
  }

  /** The next frame that was not taken yet. */
  async next(withinMs = HANG_MS): Promise<ServerFrame> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const frame = this.frames[this.#taken];
      if (frame !== undefined) {
        this.#taken++;
        return frame;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no frame within ${withinMs} ms; so far: ${this.#summary()}`);
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed; so far: ${this.#summary()}`);
      await this.#change(left);
    }
  }

  /** Takes frames up to the next one of `type`, and returns that one. */
  async nextOf<T extends FrameType>(type: T, withinMs = HANG_MS): Promise<FrameOf<T>> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const frame = await this.next(Math.max(1, deadline - performance.now()));
      if (frame.type === type) return frame as FrameOf<T>;
    }
  }

  /** All frames of `type` so far. */
  all<T extends FrameType>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  /** Closes the connection normally. */
  async close(code = 1000): Promise<void> {
    this.socket.close(code);
    await this.closed;
  }

  /** Cuts the connection without a close frame. */
  terminate(): void {
    this.socket.terminate();
  }

  #summary(): string {
    return JSON.stringify(this.frames).slice(-600);
  }

  async #change(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#wakers.add(done);
    });
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }
}
