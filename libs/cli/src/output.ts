import type { Writable } from 'node:stream';
import { CliError, EXIT } from './exit.ts';

/** The output of a command: results on stdout, everything else on stderr. */
export class Output {
  /** Whether each result is a line of JSON. */
  readonly isJson: boolean;
  readonly #out: Writable;
  readonly #err: Writable;

  constructor(out: Writable, err: Writable, isJson: boolean) {
    this.#out = out;
    this.#err = err;
    this.isJson = isJson;
    // Each write reports its own error.
    out.on('error', () => undefined);
    err.on('error', () => undefined);
  }

  /** Whether the output is a terminal, where a line can be redrawn. */
  get isLive(): boolean {
    return !this.isJson && 'isTTY' in this.#err && this.#err.isTTY === true;
  }

  get errorStream(): Writable {
    return this.#err;
  }

  /**
   * Writes a result, for machines or for people. Resolves when the reader or the system has it.
   * @throws CliError if the reader is gone
   */
  async result(value: unknown, words: () => string): Promise<void> {
    await this.write(this.isJson ? JSON.stringify(value) : words());
  }

  /** Writes a line on stdout. @throws CliError if the reader is gone */
  async write(line: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#out.write(`${line}\n`, (error) => {
        if (error) reject(new CliError(EXIT.io, `stdout: ${error.message}`, { cause: error }));
        else resolve();
      });
    });
  }

  /** Writes a line on stderr, for people. */
  note(line: string): void {
    this.#err.write(`${line}\n`);
  }
}

/** Columns as wide as their widest cell, except for the last one. */
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
 * Makes text of other people safe to show. Control characters can command a terminal, and some direction marks make
 * one line look like another.
 */
export function shown(text: string): string {
  return text.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
