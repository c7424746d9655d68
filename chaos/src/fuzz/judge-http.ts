import { isDeepStrictEqual } from 'node:util';
import type { BodyCase, RawCase } from './fuzz-case';
import type { HttpAnswer } from './http-answers';
import type { Ledger } from './ledger';
import type { Report } from './report';

/** Every problem of PROTOCOL §4.7: its code and its status. */
const PROBLEMS: Readonly<Record<string, number>> = {
  malformed_request: 400,
  invalid_json: 400,
  empty_body: 400,
  invalid_utf8: 400,
  invalid_query: 400,
  invalid_idempotency_key: 400,
  unauthorized: 401,
  forbidden_from: 403,
  forbidden_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_message: 422,
  idempotency_conflict: 422,
  upgrade_required: 426,
  rate_limited: 429,
  too_many_connections: 429,
  headers_too_large: 431,
  unavailable: 503,
  draining: 503,
  overloaded: 503,
};

const SUCCESSES = new Set([101, 200, 201, 204]);
/** More statuses that files of the reference page may have. */
const PAGE_STATUSES = new Set([206, 301, 304]);
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const MESSAGE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Checks answers against PROTOCOL §4, whatever the request was, and records what was accepted. */
export class HttpJudge {
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  judge(asked: BodyCase | RawCase, method: string, answer: HttpAnswer): void {
    const { status } = answer;
    this.#report.count(`${asked.lane} ${status}`);
    const fault = this.#faultOf(asked, method, answer);
    if (fault !== null) this.#report.fail(asked, `answered ${status}: ${fault}`);
    if (status === 201) this.#accept(asked, answer);
    if (status === 503) this.#report.unavailable++;
  }

  #faultOf({ expected, lane }: BodyCase | RawCase, method: string, answer: HttpAnswer): string | null {
    const { status, headers } = answer;
    if (status !== 101 && !REQUEST_ID.test(headers.get('x-request-id') ?? '')) return 'no request id';
    if (expected !== null && !expected.includes(status) && status !== 503) {
      return `expected ${expected.join(' or ')}; ${answer.body.toString('utf8').slice(0, 300)}`;
    }
    if (SUCCESSES.has(status) || (lane === 'bodies' && PAGE_STATUSES.has(status))) return null;
    return method === 'HEAD' ? typeFault(answer) : (typeFault(answer) ?? problemFault(answer));
  }

  #accept(asked: BodyCase | RawCase, { headers, body }: HttpAnswer): void {
    const message = parsed(body.toString('utf8'));
    const [id, to] = [field(message, 'id'), field(message, 'to')];
    if (typeof id !== 'string' || !MESSAGE_ID.test(id) || !Array.isArray(to)) {
      this.#report.fail(asked, 'a 201 without a message');
      return;
    }
    this.#ledger.accept(id, to.length);
    if (headers.get('location') !== `/v1/messages/${id}`) this.#report.fail(asked, 'a 201 without its place');
    if (asked.lane !== 'bodies' || asked.echo === null) return;
    const sent = parsed(asked.echo);
    for (const name of ['text', 'data']) {
      // Converted through JSON, which has no -0.
      const wanted = parsed(JSON.stringify(field(sent, name) ?? null));
      if (!isDeepStrictEqual(field(message, name) ?? null, wanted))
        this.#report.fail(asked, `${name} came back otherwise: ${body.toString('utf8').slice(0, 300)}`);
    }
  }
}

function typeFault({ headers }: HttpAnswer): string | null {
  const type = headers.get('content-type');
  return type === 'application/problem+json' ? null : `an error as ${type ?? 'nothing'}`;
}

function problemFault({ status, body }: HttpAnswer): string | null {
  const problem = parsed(body.toString('utf8'));
  const code = field(problem, 'code');
  if (typeof code !== 'string' || PROBLEMS[code] !== status) return `not a known code: ${String(code)}`;
  const isWhole =
    field(problem, 'type') === `urn:posthorn:error:${code}` &&
    field(problem, 'status') === status &&
    typeof field(problem, 'title') === 'string' &&
    typeof field(problem, 'detail') === 'string';
  return isWhole ? null : `not a whole problem: ${body.toString('utf8').slice(0, 300)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller reports that it is not JSON
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
