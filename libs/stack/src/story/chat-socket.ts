import type { IncomingMessage } from 'node:http';
import type { ClientFrame, ServerFrame } from '@posthorn/protocol';
import { WebSocket } from 'ws';

/** Where to connect, and as whom. */
export interface ChatSocketOptions {
  /** `ws://HOST:PORT/v1/connect` */
  url: string;
  token: string;
  device: string;
}

type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

const MAX_KEPT_FRAMES = 1_000;
const MAX_BODY_CHARS = 4_096;

/** One client connection to the gateway. It acknowledges nothing by itself. */
export class ChatSocket {
  /** Resolves with how the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly listeners = new Set<(frame: ServerFrame) => void>();
  /** The newest frames, for calls of `waitFor` that come late. */
  private readonly kept: ServerFrame[] = [];

  private constructor(private readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('message', (data) => {
      if (!Buffer.isBuffer(data)) return;
      const frame: ServerFrame = JSON.parse(data.toString());
      this.kept.push(frame);
      if (this.kept.length > MAX_KEPT_FRAMES) this.kept.shift();
      for (const listener of this.listeners) listener(frame);
    });
  }

  /** Connects. Rejects with the gateway's answer if it refuses. */
  static open({ url, token, device }: ChatSocketOptions): Promise<ChatSocket> {
    const address = new URL(url);
    address.searchParams.set('device', device);
    const socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } });
    const chat = new ChatSocket(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(chat));
      // Also ignores later errors, because `closed` follows each of them.
      socket.on('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        void refusal(response).then((error) => {
          socket.terminate();
          reject(error);
        });
      });
    });
  }

  /** Calls the listener with each frame from now on. */
  onFrame(listener: (frame: ServerFrame) => void): void {
    this.listeners.add(listener);
  }

  send(frame: ClientFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The first frame of this type for which `matches` is true, including earlier frames. Rejects after `boundMs`. */
  waitFor<T extends ServerFrame['type']>(
    type: T,
    matches: (frame: FrameOf<T>) => boolean = () => true,
    boundMs = 60_000,
  ): Promise<FrameOf<T>> {
    const isIt = (frame: ServerFrame): frame is FrameOf<T> => isOf(frame, type) && matches(frame);
    const seen = this.kept.find(isIt);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const listen = (frame: ServerFrame) => {
        if (isIt(frame)) settle(() => resolve(frame));
      };
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.listeners.delete(listen);
        act();
      };
      const fail = (why: string) => settle(() => reject(new Error(`no ${type} frame as expected: ${why}`)));
      const timer = setTimeout(() => fail(`none within ${boundMs / 1_000} s`), boundMs);
      this.listeners.add(listen);
      void this.closed.then(({ code, reason }) => fail(`the connection closed with ${code} ${reason}`));
    });
  }

  close(): void {
    this.socket.close(1000);
  }
}

function isOf<T extends ServerFrame['type']>(frame: ServerFrame, type: T): frame is FrameOf<T> {
  return frame.type === type;
}

async function refusal(response: IncomingMessage): Promise<Error> {
  let body = '';
  for await (const chunk of response) body = (body + String(chunk)).slice(0, MAX_BODY_CHARS);
  return new Error(`the gateway refused the connection with ${response.statusCode}: ${body}`);
}
