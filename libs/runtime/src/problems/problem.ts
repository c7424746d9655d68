import { STATUS_CODES } from 'node:http';
import { type ProblemCode, problemsCatalogue } from './problems-catalogue';

/** The media type of RFC 9457. */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** One fault in a body; `pointer` is a JSON Pointer (RFC 6901). */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemOptions {
  /** One sentence about this occurrence, shown to the caller. The catalogue's meaning by default. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Added to the headers of the kind. A header with the same name replaces that one. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/** An HTTP error answer. Throw it; the outer handler writes it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, { detail, errors, headers, cause }: ProblemOptions = {}) {
    const kind = problemsCatalogue[code];
    const sentence = detail ?? kind.meaning;
    super(sentence, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = kind.status;
    this.title = kind.title;
    this.detail = sentence;
    if (errors !== undefined) {
      this.errors = errors;
    }
    this.headers = { ...kind.headers, ...headers };
  }
}

/** The body of a problem (RFC 9457), with `code` and, for validation, `errors`. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly errors?: readonly FieldError[];
}

/** Creates a problem of the catalogue's kind `code`. */
export function problem(code: ProblemCode, options: ProblemOptions = {}): Problem {
  return new Problem(code, options);
}

/** The body that the caller gets. */
export function problemBody({ code, title, status, detail, errors }: Problem): ProblemBody {
  return {
    type: problemType(code),
    title,
    status,
    detail,
    code,
    ...(errors === undefined ? {} : { errors }),
  };
}

/** The stable URI of a kind of problem. It is a name, not an address. */
export function problemType(code: ProblemCode): string {
  return `urn:posthorn:error:${code}`;
}

/**
 * A complete HTTP/1.1 response that closes the connection. For code that has a socket but no response object: errors
 * of the HTTP parser, and refused upgrades.
 */
export function problemResponse(answer: Problem, requestId: string): string {
  const body = JSON.stringify(problemBody(answer));
  const headers = {
    ...answer.headers,
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    Date: new Date().toUTCString(),
    Connection:
      answer.headers['Connection'] === undefined ? 'close' : `${answer.headers['Connection']}, close`,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, ' ')}`);
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`;
  return `${[statusLine, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

/** The problem for an error of Node's HTTP parser (`clientError`). */
export function problemOfParserError(error: NodeJS.ErrnoException): Problem {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return problem('headers_too_large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem('request_timeout');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem('payload_too_large');
    default:
      return problem('malformed_request');
  }
}
