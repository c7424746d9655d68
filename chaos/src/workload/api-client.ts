import { Agent, request } from 'node:http';
import type { Random } from '../random';

/** The result of a send. Without `http` there was no answer. */
export type ApiAnswer =
  | { isAccepted: true; http: 200 | 201; id: string; ms: number }
  | { isAccepted: false; http?: number; error?: string; ms: number };

/** Longer than any answer may take. After this time there is no answer. */
const ANSWER_WAIT_MS = 6_000;
const AVOID_MS = 500;

/** Sends messages to any of several send-apis, over keep-alive connections. */
export class ApiClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #urls: readonly string[];
  readonly #token: (user: string) => string;
  readonly #random: Random;
  /** Send-apis that gave no answer, and until when they are avoided, as by a balancer. */
  readonly #avoided = new Map<string, number>();

  /** @param urls the public addresses of the send-apis */
  constructor(urls: readonly string[], token: (user: string) => string, random: Random) {
    this.#urls = urls;
    this.#token = token;
    this.#random = random;
  }

  /** `POST /v1/messages` to one of them. Never throws. */
  send(user: string, key: string, body: object): Promise<ApiAnswer> {
    const json = JSON.stringify(body);
    const startedAt = performance.now();
    const ms = (): number => performance.now() - startedAt;
    const url = this.#pick();
    return new Promise((resolve) => {
      const fail = (error: string, http?: number): void => {
        if (http === undefined) this.#avoided.set(url, performance.now() + AVOID_MS);
        resolve({ isAccepted: false, error, ms: ms(), ...(http === undefined ? {} : { http }) });
      };
      const sending = request(
        `${url}/v1/messages`,
        {
          method: 'POST',
          agent: this.#agent,
          // Limits the whole exchange: a peer that sends very slowly counts as silent.
          signal: AbortSignal.timeout(ANSWER_WAIT_MS),
          headers: {
            Authorization: `Bearer ${this.#token(user)}`,
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(json),
            'Idempotency-Key': key,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', (error) => fail(error.message));
          response.on('end', () => {
            const { statusCode: http } = response;
            const id = http === 200 || http === 201 ? idIn(text) : undefined;
            if (id !== undefined && (http === 200 || http === 201))
              resolve({ isAccepted: true, http, id, ms: ms() });
            else fail(codeIn(text), http);
          });
        },
      );
      sending.on('error', (error) => fail(error.message));
      sending.end(json);
    });
  }

  #pick(): string {
    const now = performance.now();
    const good = this.#urls.filter((url) => (this.#avoided.get(url) ?? 0) < now);
    return this.#random.pick(good.length > 0 ? good : this.#urls);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function idIn(text: string): string | undefined {
  return fieldIn(text, 'id');
}

function codeIn(text: string): string {
  return fieldIn(text, 'code') ?? 'no problem+json';
}

function fieldIn(text: string, name: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return undefined;
    const value: unknown = Reflect.get(body, name);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // cut off or not JSON, so the field is missing
  }
}
