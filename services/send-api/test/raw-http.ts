import { connect, type Socket } from 'node:net';
import { HANG_MS } from '@posthorn/testing';

/** What a raw connection got back. */
export interface RawAnswer {
  /** Everything that came. */
  readonly text: string;
  /** The status of each answer, in order. */
  readonly statuses: number[];
  /** How the connection ended; null while it is open. */
  readonly end: 'fin' | 'reset' | null;
}

/** A connection that writes bytes as they are. */
export class RawConnection {
  readonly socket: Socket;
  #text = '';
  #end: RawAnswer['end'] = null;
  readonly #changed = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const each of this.#changed) each();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      wake();
    });
    socket.on('end', () => {
      this.#end ??= 'fin';
      wake();
    });
    socket.on('error', () => {
      this.#end ??= 'reset';
      wake();
    });
    socket.on('close', () => {
      this.#end ??= 'reset';
      wake();
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  get answer(): RawAnswer {
    const statuses = [...this.#text.matchAll(STATUS_LINE)].map(([, status]) => Number(status));
    return { text: this.#text, statuses, end: this.#end };
  }

  /** Waits until the answer is as wanted. */
  async until(isWanted: (answer: RawAnswer) => boolean, withinMs = HANG_MS): Promise<RawAnswer> {
    const deadline = performance.now() + withinMs;
    while (!isWanted(this.answer)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`not within ${withinMs} ms; so far: ${JSON.stringify(this.answer)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        const wake = (): void => {
          clearTimeout(timer);
          this.#changed.delete(wake);
          resolve();
        };
        this.#changed.add(wake);
      });
    }
    return this.answer;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Writes the text on a connection of its own and waits for so many answers. */
export async function exchange(port: number, text: string, answers = 1): Promise<RawAnswer> {
  const connection = await RawConnection.open(port);
  try {
    connection.write(text);
    return await connection.until(
      ({ statuses, text: got }) => statuses.length >= answers && (text.startsWith('HEAD') || isWhole(got)),
    );
  } finally {
    connection.close();
  }
}

/** A body may name a version of HTTP, too. */
const STATUS_LINE = /HTTP\/1\.1 (\d{3}) /g;

function lastAnswerIn(text: string): string {
  return text.slice([...text.matchAll(STATUS_LINE)].at(-1)?.index ?? 0);
}

/** Whether the body of the last answer is there. */
function isWhole(text: string): boolean {
  const last = lastAnswerIn(text);
  const [head = '', body = ''] = last.split('\r\n\r\n', 2);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  return last.includes('\r\n\r\n') && (length === undefined || body.length >= Number(length));
}

/** The problem in an answer. */
export function problemIn({ text }: RawAnswer): { status: number; code: string } {
  const last = lastAnswerIn(text);
  expect(last).toMatch(/^content-type: application\/problem\+json\r$/im);
  expect(last).toMatch(/^x-request-id: [A-Za-z0-9._-]{1,128}\r$/im);
  return JSON.parse(last.slice(last.indexOf('\r\n\r\n') + 4));
}
