import type { Dialect } from './dialect';
import { type Address, BenchWebSocket } from './web-socket';

/** The callbacks of a device. */
export interface DeviceEvents {
  onReady(device: Device): void;
  onCaughtUp(device: Device): void;
  onMessage(device: Device, frame: string): void;
  /** The device has something to acknowledge. */
  onUnacked(device: Device): void;
  /** Its connection ended, or was refused with a status. */
  onEnd(device: Device, code: number | null): void;
}

/** This many messages are acknowledged at once, as by a client that catches up. Fewer wait for the next flush. */
const ACK_AT = 128;

/** One device of one user. It takes messages and acknowledges them a moment later. */
export class Device {
  readonly index: number;
  isReady = false;
  readonly #dialect: Dialect;
  readonly #events: DeviceEvents;
  #socket: BenchWebSocket | null = null;
  #unacked: (string | number)[] | null = null;
  /** The highest mark (in systems that number their messages), and the value at connect. */
  #newest = 0;
  #known = 0;

  constructor(index: number, dialect: Dialect, events: DeviceEvents) {
    this.index = index;
    this.#dialect = dialect;
    this.#events = events;
  }

  connect(address: Address, token: string): void {
    this.#known = this.#newest;
    this.#unacked = null;
    const path = this.#dialect.connectPath(`u${this.index}`);
    const socket = new BenchWebSocket(address, path, `Authorization: Bearer ${token}\r\n`, {
      onOpen: () => {
        const greeting = this.#dialect.greeting(token);
        if (greeting !== null) socket.send(greeting);
      },
      onText: (text) => this.#hear(text),
      onEnd: (code) => {
        this.isReady = false;
        this.#socket = null;
        this.#events.onEnd(this, code);
      },
    });
    this.#socket = socket;
  }

  /** Sends the acknowledgements. */
  flush(): void {
    const marks = this.#unacked;
    this.#unacked = null;
    if (marks === null) return;
    for (const text of this.#dialect.acks(marks)) this.#socket?.send(text);
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  get isConnected(): boolean {
    return this.#socket !== null;
  }

  #hear(text: string): void {
    const heard = this.#dialect.hear(text);
    switch (heard.kind) {
      case 'message':
        return this.#take(text, heard.mark);
      case 'ready':
        if (this.isReady) return;
        this.isReady = true;
        return this.#events.onReady(this);
      case 'caught-up':
        return this.#events.onCaughtUp(this);
      case 'answer':
        return this.#socket?.send(heard.text);
      case 'other':
        return;
    }
  }

  #take(text: string, mark: string | number): void {
    if (this.#dialect.acknowledges) {
      if (this.#unacked === null) {
        this.#unacked = [mark];
        this.#events.onUnacked(this);
      } else if (this.#unacked.push(mark) === ACK_AT) this.flush();
    }
    // Messages that an earlier connection of this device could not acknowledge come again. The device ignores them.
    if (typeof mark === 'number' && mark > 0) {
      if (mark <= this.#known) return;
      this.#newest = Math.max(this.#newest, mark);
    }
    this.#events.onMessage(this, text);
  }
}
