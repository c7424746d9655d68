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

/** What `httpClient` takes. */
export interface HttpClientOptions {
  /** send-api: `https://api.example.com`. */
  api: string;
  /** Asked for a JWT whenever one is needed. */
  token: () => Promise<string>;
  /** How long one call tries again what did not work now, in ms; 60,000 unless given. */
  patienceMs?: number;
  /** Instead of the global one. */
  fetch?: typeof fetch;
}

/** What a backend sends: it may name whom the message is from, if its token has the scope `send:as`. */
export interface HttpDraft extends Draft {
  from?: string;
}

/** Whether a user is connected (PROTOCOL §4.6). */
export interface PresenceItem {
  user: string;
  online: boolean;
  lastSeenAt: string | null;
}

/** The server refused for good: the same call again would be refused again. `problem.code` is one of docs/errors.md. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

const PATIENCE_MS = 60_000;

/**
 * Uses the HTTP side alone (PROTOCOL §4), without a connection: for a backend that sends. A call comes back once the
 * server has answered; what does not work now is tried again, with jitter, as long as the patience lasts.
 * Each call throws RefusedError where it is refused, and ClientError where no answer came in time.
 * @throws TypeError for options that are wrong
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
   * Sends; once this resolves the message will arrive. `key` is its idempotency key: with one that the application keeps,
   * a send whose outcome it never learnt may be made again for 24 h, and is one message all the same.
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

  /** Who has a message that the user sent, and who has read it: a row for each recipient. */
  async receipts(id: string): Promise<ReceiptItem[]> {
    const path = `/v1/messages/${encodeURIComponent(id)}/receipts`;
    return ((await this.get(path)) as { items: ReceiptItem[] }).items;
  }

  /** The user's inbox beyond `after`: a page of it, what is not kept any more in it, and the newest `seq` of the whole. */
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

  /** Who of the users is online: at most 100 of them. */
  async presence(users: readonly string[]): Promise<PresenceItem[]> {
    const path = `/v1/presence?users=${users.map(encodeURIComponent).join(',')}`;
    return ((await this.get(path)) as { items: PresenceItem[] }).items;
  }

  /** The user has read these messages. */
  async read(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += MAX_READ_IDS) {
      const read = ids.slice(at, at + MAX_READ_IDS);
      await this.#ask({ method: 'POST', path: '/v1/receipts', body: { read } });
    }
  }

  /** Any GET of send-api: what its body holds. */
  async get(path: string): Promise<unknown> {
    return await this.#ask({ method: 'GET', path });
  }

  /** Ends what is under way; nothing is asked any more. */
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
      // A fresh token was refused as well: another one of the same function will not do better.
      if (answer.isTokenBad)
        throw new RefusedError({ status: 401, code: 'unauthorized', detail: answer.why });
      const waitMs = answer.waitMs ?? backoffMs(failures);
      if (this.#isClosed || Date.now() + waitMs > giveUpAt)
        throw new ClientError('api', `no answer that counts: ${answer.why}`);
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
