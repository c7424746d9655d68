import { MAX_READ_IDS, type ServerFrame } from '@posthorn/protocol';
import { WebSocket } from 'ws';

const FLUSH_MS = 50;

/** A device that takes messages, acknowledges and reads them, and notes everything that breaks the promise. */
export class Recipient {
  /** Ids in the order of their `seq`. The first has `seq` 1. */
  readonly received: string[] = [];
  /** Frames with an unexpected `seq`: a gap, a wrong order or a duplicate. */
  outOfTurn = 0;
  deliveredFrames = 0;
  readFrames = 0;
  caughtUpAt: number | null = null;
  /** The highest acknowledged `seq` that was answered. */
  committed = 0;
  readonly #socket: WebSocket;
  readonly #reads: boolean;
  readonly #timer: NodeJS.Timeout;
  #acked = 0;
  #unread: string[] = [];

  /** @param reads whether to send read frames too */
  constructor(url: string, token: string, reads: boolean) {
    this.#reads = reads;
    this.#socket = new WebSocket(url, ['posthorn.v1'], { headers: { Authorization: `Bearer ${token}` } });
    this.#socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as ServerFrame));
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
  }

  /** Resolves once the connection is open. */
  async opened(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('open', resolve);
      this.#socket.once('error', reject);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close(1000);
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        if (frame.seq !== this.received.length + 1) this.outOfTurn++;
        this.received.push(frame.message.id);
        if (this.#reads) this.#unread.push(frame.message.id);
        return;
      case 'caughtUp':
        this.caughtUpAt = performance.now();
        return;
      case 'receipt':
        if (frame.status === 'read') this.readFrames++;
        else this.deliveredFrames++;
        return;
      case 'ok':
        this.committed = Math.max(this.committed, Number(frame.ref));
        return;
      default:
        return;
    }
  }

  #flush(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const seq = this.received.length;
    if (seq > this.#acked) {
      this.#acked = seq;
      this.#socket.send(JSON.stringify({ type: 'ack', seq, ref: seq }));
    }
    const ids = this.#unread.splice(0, MAX_READ_IDS);
    if (ids.length > 0) this.#socket.send(JSON.stringify({ type: 'read', ids }));
  }
}
