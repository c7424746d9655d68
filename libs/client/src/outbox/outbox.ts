import {
  isIdempotencyKey,
  isUserId,
  type Message,
  type ReceiptItem,
  type ReceiptStatus,
} from '@posthorn/protocol';
import type { Api } from '../http/api.ts';
import type { Store } from '../stores/store.ts';
import { type Draft, type Outgoing, withReceipt } from './outgoing.ts';
import { randomKey } from './random-key.ts';
import { type StepResult, Worker } from './worker.ts';

/** The callbacks of the outbox. */
export interface OutboxHost {
  onChange(outgoing: Outgoing): void;
  onStoreError(thrown: unknown): void;
  /** A send failed for now and will be retried. */
  onLater(why: string): void;
}

/**
 * A message as it is stored. `triedAtMs` is the first attempt: the key must not be used for longer than the server
 * keeps it.
 */
interface Entry {
  name: string;
  outgoing: Outgoing;
  triedAtMs?: number;
}

/** Thrown by `send` when the outbox is full. Wait until messages have been sent. */
export class OutboxFullError extends Error {
  override readonly name = 'OutboxFullError';
}

const PREFIX = 'outbox/';
/** Limits messages that are not accepted yet, or were refused. */
const MAX_UNSENT = 1_000;
/** Limits messages whose receipts are still followed. */
const MAX_FOLLOWED = 100;
/** Limits receipts that came before the 201 of their message. */
const MAX_EARLY = 256;
/** The server keeps a key for 24 h (PROTOCOL §4.1). One hour less allows for clocks that differ. */
const KEY_LIFE_MS = 23 * 3_600_000;
const OUTCOME_UNKNOWN = {
  status: 0,
  code: 'outcome_unknown',
  detail:
    'It was first tried more than 23 h ago and may have been accepted then. Sending it now could make it arrive twice. Retry it, or forget it.',
};

/**
 * The messages that this device sends. Each is stored before `send` resolves, and they are sent one by one in that
 * order. After a failure with unknown outcome a message is sent again under its own key, so it arrives only once.
 */
export class Outbox {
  readonly #api: Api;
  readonly #store: Store;
  readonly #host: OutboxHost;
  readonly #worker = new Worker(() => this.#sendNext());
  readonly #sweeper = new Worker(() => this.#askReceipts());
  /** By key, in the order of `send`. */
  readonly #entries = new Map<string, Entry>();
  readonly #early = new Map<string, [user: string, status: ReceiptStatus][]>();
  readonly #settled = new Map<string, Set<(outgoing: Outgoing | undefined) => void>>();
  #toAsk: string[] = [];
  #order = 0;
  #isClosed = false;

  constructor(api: Api, store: Store, host: OutboxHost) {
    this.#api = api;
    this.#store = store;
    this.#host = host;
  }

  /**
   * All messages that are not accepted yet, were refused, or are followed until they are read, in the order of
   * `send`.
   */
  all(): Outgoing[] {
    return this.#inOrder().map(({ outgoing }) => outgoing);
  }

  /** Loads what the store holds from before a reload, or from a tab that was closed. */
  async adopt(): Promise<void> {
    const adopted: Outgoing[] = [];
    for (const name of await this.#store.keys(PREFIX)) {
      const stored = (await this.#store.get(name)) as Omit<Entry, 'name'> | undefined;
      const key = stored?.outgoing?.key;
      if (stored === undefined || key === undefined || this.#entries.has(key)) continue;
      this.#entries.set(key, { ...stored, name });
      adopted.push(stored.outgoing);
    }
    const sorted = [...this.#entries].sort(([, a], [, b]) => (a.name < b.name ? -1 : 1));
    this.#entries.clear();
    for (const [key, entry] of sorted) this.#entries.set(key, entry);
    this.#order = Math.max(this.#order, orderIn(sorted.at(-1)?.[1].name ?? ''));
    for (const outgoing of adopted) this.#host.onChange(outgoing);
    this.#worker.kick();
  }

  /**
   * Adds a message. If this throws, nothing will be sent.
   * @throws TypeError, OutboxFullError, or what the store throws
   */
  async add(draft: Draft, key = randomKey()): Promise<Outgoing> {
    const outgoing = asOutgoing(draft, key);
    const known = this.#entries.get(key);
    if (known !== undefined) return known.outgoing;
    const unsent = [...this.#entries.values()].filter(({ outgoing: { state } }) => isUnsent(state));
    if (unsent.length >= MAX_UNSENT) {
      throw new OutboxFullError(
        `${MAX_UNSENT} messages are waiting: send again when some of them have been sent`,
      );
    }
    // Keeps the order also for two sends in one millisecond, and after the clock was set back.
    this.#order = Math.max(this.#order + 1, Date.now());
    const name = `${PREFIX}${String(this.#order).padStart(16, '0')}-${key}`;
    this.#entries.set(key, { name, outgoing });
    try {
      await this.#store.set(name, { outgoing });
    } catch (thrown) {
      this.#entries.delete(key);
      throw thrown;
    }
    this.#host.onChange(outgoing);
    this.#worker.kick();
    return outgoing;
  }

  /**
   * The message once it is accepted or refused. `undefined` if there is no such message, or the client is closed
   * first.
   */
  async settled(key: string): Promise<Outgoing | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isClosed) return undefined;
    if (entry.outgoing.state !== 'pending') return entry.outgoing;
    return await new Promise((resolve) => {
      const waiting = this.#settled.get(key) ?? new Set();
      this.#settled.set(key, waiting.add(resolve));
    });
  }

  /** Sends a refused message again, under the same key. */
  async retry(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry?.outgoing.state !== 'failed') return;
    const { problem: _problem, ...rest } = entry.outgoing;
    const { triedAtMs: _tried, ...fresh } = entry;
    await this.#change(fresh, { ...rest, state: 'pending' });
    this.#worker.kick();
  }

  /**
   * Removes a message that was refused, or whose receipts no longer matter. Returns false for one that may still be
   * sent.
   */
  async forget(key: string): Promise<boolean> {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.outgoing.state === 'pending') return false;
    await this.#remove(entry);
    return true;
  }

  /** A receipt came. It may come before the 201 (PROTOCOL §5.9). */
  async onReceipt(id: string, user: string, status: ReceiptStatus): Promise<void> {
    const entry = this.#inOrder().find(({ outgoing }) => outgoing.id === id);
    if (entry !== undefined) {
      await this.#change(entry, withReceipt(entry.outgoing, user, status));
      return;
    }
    if (!this.all().some(({ state }) => state === 'pending')) return;
    const oldest = this.#early.keys().next();
    if (this.#early.size >= MAX_EARLY && !oldest.done) this.#early.delete(oldest.value);
    this.#early.set(id, [...(this.#early.get(id) ?? []), [user, status]]);
  }

  /** Called on a new connection: receipts may have been missed, and waiting messages may be sendable now. */
  refresh(): void {
    this.#worker.wake();
    const followed = this.#inOrder().filter(
      ({ outgoing: { id, state } }) => id !== undefined && state !== 'read',
    );
    this.#toAsk = followed.map(({ outgoing }) => outgoing.key);
    this.#sweeper.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#worker.stop();
    this.#sweeper.stop();
    for (const waiting of this.#settled.values()) for (const resolve of waiting) resolve(undefined);
    this.#settled.clear();
  }

  async #sendNext(): Promise<StepResult> {
    const entry = this.#inOrder().find(({ outgoing }) => outgoing.state === 'pending');
    if (entry === undefined) return 'idle';
    const { triedAtMs, outgoing } = entry;
    if (triedAtMs !== undefined && Date.now() - triedAtMs > KEY_LIFE_MS) {
      await this.#change(entry, { ...outgoing, state: 'failed', problem: OUTCOME_UNKNOWN });
      return 'more';
    }
    // Without a network nothing can have been accepted, so this attempt does not count towards the key's lifetime.
    if (typeof navigator !== 'undefined' && !(navigator.onLine ?? true)) return { laterMs: undefined };
    const tried = { ...entry, triedAtMs: triedAtMs ?? Date.now() };
    await this.#change(tried, outgoing);
    const { key, to, text, data } = outgoing;
    const body = { to, ...(text === undefined ? {} : { text }), ...(data === undefined ? {} : { data }) };
    const answer = await this.#api.ask({ method: 'POST', path: '/v1/messages', body, idempotencyKey: key });
    if (this.#isClosed) return 'idle';
    if (answer.kind === 'later') {
      this.#host.onLater(answer.why);
      return { laterMs: answer.waitMs };
    }
    if (answer.kind === 'refused') {
      await this.#change(tried, { ...outgoing, state: 'failed', problem: answer.problem });
      return 'more';
    }
    const { id } = answer.body as Message;
    let sent: Outgoing = { ...outgoing, id, state: 'sent' };
    for (const [user, status] of this.#early.get(id) ?? []) sent = withReceipt(sent, user, status);
    this.#early.delete(id);
    await this.#change(tried, sent);
    await this.#followFewer();
    return 'more';
  }

  /**
   * Asks for the receipts of sent messages, the newest first. Frames may be lost; this answer is complete (PROTOCOL
   * §4.4).
   */
  async #askReceipts(): Promise<StepResult> {
    const key = this.#toAsk.pop();
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined) return 'idle';
    const id = entry?.outgoing.id;
    if (id === undefined) return 'more';
    const answer = await this.#api.ask({ method: 'GET', path: `/v1/messages/${id}/receipts` });
    if (answer.kind === 'later') {
      this.#toAsk.push(key);
      return { laterMs: answer.waitMs };
    }
    if (answer.kind === 'refused') return 'more';
    for (const { user, deliveredAt, readAt } of (answer.body as { items: ReceiptItem[] }).items) {
      if (readAt !== null) await this.onReceipt(id, user, 'read');
      else if (deliveredAt !== null) await this.onReceipt(id, user, 'delivered');
    }
    return 'more';
  }

  /** Stores the new state of an entry, and reports it if it changed. */
  async #change(entry: Entry, outgoing: Outgoing): Promise<void> {
    const { name, triedAtMs } = entry;
    const { key } = outgoing;
    const before = this.#entries.get(key);
    if (before === undefined || this.#isClosed) return;
    if (before.outgoing === outgoing && before.triedAtMs === triedAtMs) return;
    const tried = triedAtMs === undefined ? {} : { triedAtMs };
    this.#entries.set(key, { name, outgoing, ...tried });
    try {
      await this.#store.set(name, { outgoing, ...tried });
    } catch (thrown) {
      this.#host.onStoreError(thrown);
    }
    if (before.outgoing !== outgoing) this.#host.onChange(outgoing);
    if (outgoing.state !== 'pending') this.#settle(key, outgoing);
    if (outgoing.state === 'read') await this.#remove({ name, outgoing });
  }

  async #remove({ name, outgoing: { key } }: Entry): Promise<void> {
    this.#entries.delete(key);
    try {
      await this.#store.delete(name);
    } catch (thrown) {
      this.#host.onStoreError(thrown);
    }
  }

  /** Stops following the oldest messages. Their last state stays. */
  async #followFewer(): Promise<void> {
    const followed = this.#inOrder().filter(({ outgoing: { state } }) => !isUnsent(state));
    for (const entry of followed.slice(0, -MAX_FOLLOWED)) await this.#remove(entry);
  }

  #settle(key: string, outgoing: Outgoing): void {
    for (const resolve of this.#settled.get(key) ?? []) resolve(outgoing);
    this.#settled.delete(key);
  }

  #inOrder(): Entry[] {
    return [...this.#entries.values()];
  }
}

function orderIn(name: string): number {
  return Number(name.slice(PREFIX.length).split('-', 1)[0]);
}

function isUnsent(state: Outgoing['state']): boolean {
  return state === 'pending' || state === 'failed';
}

/** Turns a draft into an outbox message. The server checks its own limits later: then the state is `failed`. */
function asOutgoing({ to, text, data }: Draft, key: string): Outgoing {
  const recipients = [...new Set(typeof to === 'string' ? [to] : to)];
  const wrong = recipients.find((user) => !isUserId(user));
  if (recipients.length === 0) throw new TypeError('send: `to` must name at least one user');
  if (wrong !== undefined) throw new TypeError(`send: ${JSON.stringify(wrong)} is not a user id`);
  if (!isIdempotencyKey(key)) throw new TypeError('send: the key must be 1 to 255 visible ASCII characters');
  if (text === undefined && data === undefined) throw new TypeError('send: give text, or data, or both');
  return {
    key,
    to: recipients,
    ...(text === undefined ? {} : { text }),
    // A copy: later changes of the caller must not change what is sent.
    ...(data === undefined ? {} : { data: structuredClone(data) }),
    state: 'pending',
    createdAtMs: Date.now(),
    receipts: {},
  };
}
