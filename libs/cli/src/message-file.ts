import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { Cursor, Delivery } from '@posthorn/client';
import { CliError, EXIT } from './exit.ts';

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;
/** How each line begins. */
const BEGINNING = Buffer.from('{"seq":');
const NOT_OURS = '--output has lines that are not of posthorn listen: name another file';

/**
 * A file of deliveries, one JSON line each. A line is the message and the cursor in one: whatever dies, the next one
 * goes on behind the last whole line, so that none is missing and none is there twice.
 */
export class MessageFile {
  readonly #fd: number;
  /** Of the last whole line. */
  readonly cursor: Cursor | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
    const end = wholeBytes(fd);
    this.cursor = end === 0 ? undefined : cursorIn(lastLine(fd, end));
    if (!isOurs(fd, end)) throw new CliError(EXIT.io, NOT_OURS);
    // What a process did not write to its end was not acknowledged either.
    ftruncateSync(fd, end);
  }

  /** @throws CliError where the file cannot be opened, or its last line is no delivery */
  static open(path: string): MessageFile {
    try {
      return new MessageFile(openSync(path, 'a+', 0o600));
    } catch (cause) {
      if (cause instanceof CliError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CliError(EXIT.io, `--output cannot be used: ${why}`, { cause });
    }
  }

  /** Written in one go, before the message is acknowledged. */
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

/** Whether what comes after the last whole line, if anything, is the beginning of one of ours. */
function isOurs(fd: number, end: number): boolean {
  const rest = Buffer.alloc(BEGINNING.length);
  const length = readSync(fd, rest, 0, rest.length, end);
  return rest.subarray(0, length).equals(BEGINNING.subarray(0, length));
}

/** The file's length without a last line that has no end. */
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
    // Told below: it does not matter what else it is.
  }
  throw new CliError(EXIT.io, NOT_OURS);
}
