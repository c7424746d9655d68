/** An HTTP answer as it came. */
export interface HttpAnswer {
  status: number;
  /** Names in lower case. Values of a repeated name are joined. */
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}

const EMPTY = Buffer.alloc(0);

/** Splits the bytes of one connection into answers. Throws on bytes that no HTTP client could read. */
export class AnswerReader {
  #rest: Buffer = EMPTY;
  /** The methods of requests without an answer yet. */
  readonly #methods: string[] = [];

  /** A request was sent. Its method decides whether the answer has a body. */
  expect(method: string): void {
    this.#methods.push(method);
  }

  /** Bytes that do not belong to an answer yet. After a 101 they are frames. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Adds bytes and returns the answers that are now complete. */
  push(chunk: Buffer): HttpAnswer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const answers: HttpAnswer[] = [];
    for (let answer = this.#next(); answer !== null; answer = this.#next()) {
      if (answer.status >= 200 || answer.status === 101) {
        this.#methods.shift();
        answers.push(answer);
      }
      if (answer.status === 101) break;
    }
    return answers;
  }

  #next(): HttpAnswer | null {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(first.slice(0, 200))}`);
    const headers = readHeaders(lines);
    const body = this.#body(status, headers, end + 4);
    if (body === null) return null;
    this.#rest = this.#rest.subarray(body.end);
    return { status, headers, body: body.bytes };
  }

  #body(
    status: number,
    headers: ReadonlyMap<string, string>,
    at: number,
  ): { bytes: Buffer; end: number } | null {
    if (status < 200 || status === 204 || status === 304 || this.#methods[0] === 'HEAD')
      return { bytes: EMPTY, end: at };
    if (headers.get('transfer-encoding') === 'chunked') return readChunks(this.#rest, at);
    const length = Number(headers.get('content-length') ?? '0');
    if (!Number.isSafeInteger(length)) throw new Error('a Content-Length that is none');
    return this.#rest.length < at + length
      ? null
      : { bytes: this.#rest.subarray(at, at + length), end: at + length };
  }
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new Error(`no header line: ${JSON.stringify(line.slice(0, 200))}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function readChunks(bytes: Buffer, start: number): { bytes: Buffer; end: number } | null {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('a chunk size that is none');
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return null;
    if (size === 0) return { bytes: Buffer.concat(chunks), end };
    chunks.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
