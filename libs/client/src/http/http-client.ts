import {
  DEFAULT_INBOX_PAGE,
  type InboxItem,
  isIdempotencyKey,
  MAX_READ_IDS,
  type Message,
  type ReceiptItem,
  type SkippedRange,
} from '@posthorn/protocol';
import { ClientError } from '../client-error.ts';
import { backoffMs } from '../connection/backoff.ts';
import { Pause } from '../connection/pause.ts';
import { readApiAddress } from '../options.ts';
import type { Draft } from '../outbox/outgoing.ts';
import { randomKey } from '../outbox/random-key.ts';
import { TokenSource } from '../tokens/token-source.ts';
import { Api, type ApiRequest, type Problem } from './api.ts';

/** The options of `httpClient`. */
export interface HttpClientOptions {
  /** The address of send-api: `https://api.example.com`. */
  api: string;
  /** Returns a JWT. Called whenever a token is needed. */
  token: () => Promise<string>;
  /** How long one call is retried after temporary failures, in ms; 60,000 by default. */
  patienceMs?: number;
  /** Used instead of the global one. */
  fetch?: typeof fetch;
}

/** A message of a backend. It may name the sender if its token has the scope `send:as`. */
export interface HttpDraft extends Draft {
  from?: string;
}

/** Whether a user is connected (PROTOCOL §4.6). */
export interface PresenceItem {
  user: string;
  online: boolean;
  lastSeenAt: string | null;
}

/** The server refused the call, and would refuse it again. `problem.code` is listed in docs/errors.md. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

const PATIENCE_MS = 60_000;

/**
 * Creates a client for a backend that sends: it uses only HTTP (PROTOCOL §4), without a connection. A call returns
 * once the server has answered. Temporary failures are retried with jitter for `patienceMs`.
 * Each call throws RefusedError if it is refused, and ClientError if no answer came in time.
 * @throws TypeError for wrong options
 */
export function httpClient(options: HttpClientOptions): HttpClient {
  return new HttpClient(options);
}

/** Made by `httpClient`. */
export class HttpClient {
  readonly #api: Api;
  readonly #patienceMs: number;
  readonly #pauses = new Set<Pause>();
  #isClosed = false;

  constructor({ api, token, patienceMs = PATIENCE_MS, fetch }: HttpClientOptions) {
    if (typeof token !== 'function')
      throw new TypeError('httpClient: token must be a function that returns a JWT');
    const fetcher = fetch ?? globalThis.fetch.bind(globalThis);
    this.#api = new Api(readApiAddress(api), new TokenSource(token, () => undefined), fetcher);
    this.#patienceMs = patienceMs;
  }

  /**
   * Sends a message. Once this resolves, the message will arrive. `key` is its idempotency key. An application that
   * keeps the key can repeat a send with unknown outcome for 24 h, and it stays one message.
   */
  async send(draft: HttpDraft, { key = randomKey() }: { key?: string } = {}): Promise<Message> {
    if (!isIdempotencyKey(key))
      throw new TypeError('send: the key must be 1 to 255 visible ASCII characters');
    const { to, ...rest } = draft;
    const body = { to: typeof to === 'string' ? [to] : to, ...rest };
    return (await this.#ask({
      method: 'POST',
      path: '/v1/messages',
      body,
      idempotencyKey: key,
    })) as Message;
  }

  /** A message that the user sent or received. */
  async message(id: string): Promise<Message> {
    return (await this.get(`/v1/messages/${encodeURIComponent(id)}`)) as Message;
  }

  /** Who has a message that the user sent, and who has read it: one row per recipient. */
  async receipts(id: string): Promise<ReceiptItem[]> {
    const path = `/v1/messages/${encodeURIComponent(id)}/receipts`;
    return ((await this.get(path)) as { items: ReceiptItem[] }).items;
  }

  /**
   * One page of the user's inbox after `after`: its messages, the ranges that are no longer kept, and the newest
   * `seq` of the whole inbox.
   */
  async inbox({ after = 0, limit = DEFAULT_INBOX_PAGE } = {}): Promise<{
    items: InboxItem[];
    skipped?: SkippedRange[];
    lastSeq: number;
  }> {
    return (await this.get(`/v1/inbox?after=${after}&limit=${limit}`)) as {
      items: InboxItem[];
      skipped?: SkippedRange[];
      lastSeq: number;
    };
  }

  /** Which of the users are online. At most 100 users. */
  async presence(users: readonly string[]): Promise<PresenceItem[]> {
    const path = `/v1/presence?users=${users.map(encodeURIComponent).join(',')}`;
    return ((await this.get(path)) as { items: PresenceItem[] }).items;
  }

  /** Marks messages as read by the user. */
  async read(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += MAX_READ_IDS) {
      const read = ids.slice(at, at + MAX_READ_IDS);
      await this.#ask({ method: 'POST', path: '/v1/receipts', body: { read } });
    }
  }

  /** Any GET of send-api. Returns the body. */
  async get(path: string): Promise<unknown> {
    return await this.#ask({ method: 'GET', path });
  }

  /** Aborts running requests and makes no more. */
  close(): void {
    this.#isClosed = true;
    this.#api.close();
    for (const pause of this.#pauses) pause.end();
  }

  async #ask(request: ApiRequest): Promise<unknown> {
    const giveUpAt = Date.now() + this.#patienceMs;
    for (let failures = 1; ; failures += 1) {
      const answer = await this.#api.ask(request);
      if (answer.kind === 'done') return answer.body;
      if (answer.kind === 'refused') throw new RefusedError(answer.problem);
      // A fresh token was refused too, so another one from the same function would not help.
      if (answer.isTokenBad)
        throw new RefusedError({ status: 401, code: 'unauthorized', detail: answer.why });
      const waitMs = answer.waitMs ?? backoffMs(failures);
      if (this.#isClosed || Date.now() + waitMs > giveUpAt)
        throw new ClientError('api', `no usable answer: ${answer.why}`);
      await this.#wait(waitMs);
    }
  }

  async #wait(ms: number): Promise<void> {
    const pause = new Pause();
    this.#pauses.add(pause);
    await pause.wait(ms);
    this.#pauses.delete(pause);
  }
}
