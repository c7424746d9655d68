import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { Cursor, Delivery } from '@posthorn/client';
import { CliError, EXIT } from './exit.ts';

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;
/** How each line begins. */
const BEGINNING = Buffer.from('{"seq":');
const NOT_OURS = '--output has lines that posthorn listen did not write: name another file';

/**
 * A file of deliveries, one JSON line each. A line stores the message and the cursor together. After a crash the next
 * process continues after the last complete line, so no message is missing or there twice.
 */
export class MessageFile {
  readonly #fd: number;
  /** The cursor of the last complete line. */
  readonly cursor: Cursor | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
    const end = wholeBytes(fd);
    this.cursor = end === 0 ? undefined : cursorIn(lastLine(fd, end));
    if (!isOurs(fd, end)) throw new CliError(EXIT.io, NOT_OURS);
    // A line that was not completely written was not acknowledged either.
    ftruncateSync(fd, end);
  }

  /** @throws CliError if the file cannot be opened, or its last line is not a delivery */
  static open(path: string): MessageFile {
    try {
      return new MessageFile(openSync(path, 'a+', 0o600));
    } catch (cause) {
      if (cause instanceof CliError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CliError(EXIT.io, `--output cannot be used: ${why}`, { cause });
    }
  }

  /** Writes a line in one call, before the message is acknowledged. */
  append({ seq, ...rest }: Delivery): void {
    const line = Buffer.from(`${JSON.stringify({ seq, ...rest })}\n`);
    let done = 0;
    while (done < line.length) done += writeSync(this.#fd, line, done);
  }

  close(): void {
    fsyncSync(this.#fd);
    closeSync(this.#fd);
  }
}

/** Whether the text after the last complete line, if any, is the beginning of one of our lines. */
function isOurs(fd: number, end: number): boolean {
  const rest = Buffer.alloc(BEGINNING.length);
  const length = readSync(fd, rest, 0, rest.length, end);
  return rest.subarray(0, length).equals(BEGINNING.subarray(0, length));
}

/** The file's length without an incomplete last line. */
function wholeBytes(fd: number): number {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let end = fstatSync(fd).size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const at = chunk.subarray(0, readSync(fd, chunk, 0, end - start, start)).lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

function lastLine(fd: number, end: number): string {
  let text = Buffer.alloc(0);
  for (let start = end - 1; start > 0; ) {
    const from = Math.max(0, start - CHUNK_BYTES);
    const chunk = Buffer.alloc(start - from);
    readSync(fd, chunk, 0, chunk.length, from);
    const at = chunk.lastIndexOf(NEWLINE);
    text = Buffer.concat([chunk.subarray(at + 1), text]);
    if (at >= 0) break;
    start = from;
  }
  return text.toString('utf8');
}

function cursorIn(line: string): Cursor {
  try {
    const { epoch, seq } = JSON.parse(line) as Delivery;
    if ((typeof epoch === 'string' || epoch === null) && Number.isSafeInteger(seq)) return { epoch, seq };
  } catch {
    // Reported below, whatever else the line is.
  }
  throw new CliError(EXIT.io, NOT_OURS);
}
