import type { Writable } from 'node:stream';
import { CliError, EXIT } from './exit.ts';

/** What a command says: results on stdout, everything else on stderr. */
export class Output {
  /** Each result is a line of JSON. */
  readonly isJson: boolean;
  readonly #out: Writable;
  readonly #err: Writable;

  constructor(out: Writable, err: Writable, isJson: boolean) {
    this.#out = out;
    this.#err = err;
    this.isJson = isJson;
    // Each write is told of its own error.
    out.on('error', () => undefined);
    err.on('error', () => undefined);
  }

  /** True where somebody sees a line that is drawn again. */
  get isLive(): boolean {
    return !this.isJson && 'isTTY' in this.#err && this.#err.isTTY === true;
  }

  get errorStream(): Writable {
    return this.#err;
  }

  /**
   * A result, for machines or for people. Resolves when the reader has it, or the system keeps it for them.
   * @throws CliError where the reader is gone
   */
  async result(value: unknown, words: () => string): Promise<void> {
    await this.write(this.isJson ? JSON.stringify(value) : words());
  }

  /** A line on stdout. @throws CliError where the reader is gone */
  async write(line: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#out.write(`${line}\n`, (error) => {
        if (error) reject(new CliError(EXIT.io, `stdout: ${error.message}`, { cause: error }));
        else resolve();
      });
    });
  }

  /** A line on stderr, for people. */
  note(line: string): void {
    this.#err.write(`${line}\n`);
  }
}

/** Columns as wide as their widest cell; the last one as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * What somebody else wrote, safe to show: a terminal takes control characters for commands, and some of those that
 * turn the writing direction make one line look like another.
 */
export function shown(text: string): string {
  return text.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
