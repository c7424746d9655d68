import { inWords } from '../client-error.ts';
import type { TokenSource } from '../tokens/token-source.ts';

/** Why a request was refused for good. `code` is listed in docs/errors.md, or is the client's own. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
}

/**
 * The result of a request. `later`: the outcome is unknown or temporary, and the same request may be made again. With
 * `isTokenBad` it needs another token.
 */
export type Answer =
  | { kind: 'done'; body: unknown }
  | { kind: 'refused'; problem: Problem }
  | { kind: 'later'; waitMs: number | undefined; why: string; isTokenBad?: boolean };

/** One request to send-api. */
export interface ApiRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  idempotencyKey?: string;
}

const ANSWER_BOUND_MS = 20_000;

/** The HTTP side (PROTOCOL §4). Every outcome is a value; nothing is thrown. */
export class Api {
  readonly #url: string;
  readonly #tokens: TokenSource;
  readonly #fetch: typeof fetch;
  readonly #stop = new AbortController();

  constructor(url: string, tokens: TokenSource, fetcher: typeof fetch) {
    this.#url = url;
    this.#tokens = tokens;
    this.#fetch = fetcher;
  }

  /** Makes the request. If the token was refused, it tries once more with a fresh one. */
  async ask(request: ApiRequest): Promise<Answer> {
    const answer = await this.#askOnce(request);
    return answer.kind === 'later' && answer.isTokenBad ? await this.#askOnce(request) : answer;
  }

  /** Aborts running requests and makes no more. */
  close(): void {
    this.#stop.abort();
  }

  async #askOnce({ method, path, body, idempotencyKey }: ApiRequest): Promise<Answer> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_BOUND_MS);
    const onStop = (): void => late.abort();
    this.#stop.signal.addEventListener('abort', onStop);
    try {
      const token = await this.#tokens.get();
      if (this.#stop.signal.aborted) return { kind: 'later', waitMs: undefined, why: 'the client is closed' };
      const fetcher = this.#fetch; // called without `this`, as browsers demand
      const response = await fetcher(this.#url + path, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        cache: 'no-store',
        credentials: 'omit',
        signal: late.signal,
      });
      const text = await response.text();
      if (response.status === 401) this.#tokens.refuse(token);
      return judge(response.status, text, response.headers.get('Retry-After'));
    } catch (thrown) {
      // No connection, no token or no JSON: the request failed now, and nothing else is known.
      return { kind: 'later', waitMs: undefined, why: inWords(thrown) };
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener('abort', onStop);
    }
  }
}

/** Decides whether the same request may be made again. */
export function judge(status: number, text: string, retryAfter: string | null): Answer {
  if (status >= 200 && status < 300)
    return { kind: 'done', body: text === '' ? undefined : JSON.parse(text) };
  const problem = problemIn(status, text);
  const why = problem === undefined ? `HTTP ${status}` : `${problem.code}: ${problem.detail}`;
  if (status === 401) return { kind: 'later', waitMs: undefined, why, isTokenBad: true };
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  // Without a problem code the refusal comes from a proxy, not from send-api.
  if (isRefusal && problem !== undefined) return { kind: 'refused', problem };
  return { kind: 'later', waitMs: secondsIn(retryAfter), why };
}

function problemIn(status: number, text: string): Problem | undefined {
  try {
    const { code, detail, errors } = JSON.parse(text) as Record<string, unknown>;
    if (typeof code !== 'string') return undefined;
    const faults = Array.isArray(errors) ? (errors as { pointer?: string; detail?: string }[]) : [];
    const named = faults.map((fault) => `${fault.pointer}: ${fault.detail}`).join('; ');
    return { status, code, detail: [detail, named].filter(Boolean).join(' ') };
  } catch {
    return undefined;
  }
}

function secondsIn(header: string | null): number | undefined {
  if (header === null || !/^\d{1,5}$/.test(header)) return undefined;
  // Random, so that not all clients come back at the same moment.
  return Number(header) * 1_000 * (1 + Math.random() / 4) + 50;
}
