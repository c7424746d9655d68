import { connect, type Socket } from 'node:net';

/** Why a wait ended without success. */
export type Nothing = 'ended' | 'late';

/** One TCP connection of the fuzzer. */
export class Line {
  readonly #socket: Socket;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  /** @param onBytes takes incoming bytes; if it throws, the connection ends and `fault` has the reason */
  private constructor(socket: Socket, onBytes: (bytes: Buffer) => void) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      try {
        onBytes(bytes);
      } catch (error) {
        this.fault ??= error instanceof Error ? error.message : String(error);
        socket.destroy();
      }
      this.#wake();
    });
    const end = (): void => {
      this.#hasEnded = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', () => undefined); // followed by close
  }

  /** What came that the server must never send. */
  fault: string | null = null;

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  static async open(port: number, onBytes: (bytes: Buffer) => void): Promise<Line> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Line(socket, onBytes);
  }

  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Waits until `check` is true, the other side has ended, or the time is over. */
  async until(check: () => boolean, withinMs: number): Promise<true | Nothing> {
    if (check()) return true;
    if (this.#hasEnded) return 'ended';
    return await new Promise((resolve) => {
      const settle = (outcome: true | Nothing): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve(outcome);
      };
      const timer = setTimeout(() => settle('late'), withinMs);
      this.#wake = () => {
        if (check()) settle(true);
        else if (this.#hasEnded) settle('ended');
      };
    });
  }

  /** Cuts the connection: the other side sees a reset. */
  reset(): void {
    if (this.#socket.destroyed) return;
    this.#socket.resetAndDestroy();
  }

  /** Closes this side, and ignores everything that still arrives. */
  fin(): void {
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 2_000).unref();
  }

  close(): void {
    this.#socket.destroy();
  }
}
