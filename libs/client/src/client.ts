import type { ReceiptStatus, ServerFrame, SkippedRange } from '@posthorn/protocol';
import { ClientError, inWords, reportUnheard } from './client-error.ts';
import type { Connection, Welcome } from './connection/connection.ts';
import { Link } from './connection/link.ts';
import { Pause } from './connection/pause.ts';
import type { Status } from './connection/status.ts';
import { onWakeUp } from './connection/wake-ups.ts';
import type { WebSocketClass } from './connection/web-socket.ts';
import { Emitter } from './emitter.ts';
import { Api } from './http/api.ts';
import { Acker } from './intake/acker.ts';
import { CatchUp } from './intake/catch-up.ts';
import { DeliveryLoop } from './intake/delivery-loop.ts';
import { type Delivery, Intake, type MessageHandler } from './intake/intake.ts';
import type { Settings } from './options.ts';
import { Outbox } from './outbox/outbox.ts';
import type { Draft, Outgoing } from './outbox/outgoing.ts';
import { ReadMarks } from './outbox/read-marks.ts';
import { asCursor, type Cursor, isPromise } from './stores/store.ts';
import { type WatchedStore, watchedStore } from './stores/watched-store.ts';
import { Identity } from './tokens/identity.ts';
import { TokenSource } from './tokens/token-source.ts';

/** Delivered or read: news of a message that this user sent, from any device. */
export interface Receipt {
  id: string;
  user: string;
  status: ReceiptStatus;
  at: string;
}

/** The events of a client, apart from messages. */
export interface ClientEvents {
  /** Everything that waited on the server has been handled, up to and including `seq`. Once per connection. */
  caughtUp: { seq: number };
  /**
   * Messages of this inbox that came while the device was away and are no longer kept: `from` to `to`, both included.
   * Emitted at their position in the inbox, if there is a message handler.
   */
  skipped: SkippedRange;
  receipt: Receipt;
  /** A message of this device has a new state, or was loaded from the store. */
  outbox: Outgoing;
  /** The inbox was restored from a backup. It continues after `seq`, and messages that came before may come again. */
  reset: Cursor;
  status: Status;
  /**
   * An error. The client continues unless `status` says otherwise. Without a listener the error goes to the console.
   */
  error: ClientError;
}

/** On close, a running handler has this long, and then the store has this long. */
const CLOSE_BOUND_MS = 5_000;
/** After this many connects in a row without a welcome, the client also reads the inbox over HTTP. */
const REFUSALS_BEFORE_POLLING = 2;
const CURSOR = 'cursor';

/** One device of one user. It receives and sends, and reconnects until it is closed. Made by `connect`. */
export class Client implements AsyncIterable<Delivery> {
  readonly #settings: Settings;
  readonly #store: WatchedStore;
  readonly #events = new Emitter<ClientEvents>((thrown) => this.#report('listener', thrown));
  readonly #identity: Identity;
  readonly #api: Api;
  readonly #intake: Intake;
  readonly #acker = new Acker((seq) => this.#connection?.send({ type: 'ack', seq }) ?? false);
  readonly #outbox: Outbox;
  readonly #readMarks: ReadMarks;
  readonly #catchUp: CatchUp;
  readonly #link: Link;
  readonly #loops = new Set<DeliveryLoop>();
  readonly #lockStop = new AbortController();
  #connection: Connection | undefined;
  #status: Status = { state: 'connecting' };
  /** The link's latest wait, shown again when polling ends. */
  #down = { why: '', retryAtMs: 0 };
  #releaseLock: () => void = () => undefined;
  #stopWakeUps: () => void = () => undefined;
  #isOver = false;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, loadWebSocket: () => Promise<WebSocketClass>) {
    this.#settings = settings;
    const store = watchedStore(settings.store);
    this.#store = store;
    this.#identity = new Identity(store, settings.device);
    const tokens = new TokenSource(settings.token, ({ user }) => this.#checkUser(user));
    this.#api = new Api(settings.api, tokens, settings.fetch);
    this.#intake = new Intake({
      keepCursor: (cursor) => this.#keepCursor(cursor),
      onHandled: (seq) => this.#acker.handled(seq),
      onSkipped: (range) => this.#events.emit('skipped', range),
      onCaughtUp: (seq) => this.#events.emit('caughtUp', { seq }),
      onError: (error) => this.#tell(error),
    });
    const onStoreError = (thrown: unknown): void => this.#report('store', thrown);
    // While the client is not online, a failed request is expected and not reported.
    const onLater = (why: string): void => {
      if (this.#status.state === 'online') this.#report('api', why);
    };
    this.#outbox = new Outbox(this.#api, store, {
      onChange: (outgoing) => this.#events.emit('outbox', outgoing),
      onStoreError,
      onLater,
    });
    this.#readMarks = new ReadMarks(this.#api, store, {
      onStoreError,
      onLater,
      onRefused: (id, why) => this.#report('api', `${id} was not marked as read: ${why}`),
    });
    this.#catchUp = new CatchUp(this.#api, this.#intake, {
      onPage: () => this.#onPage(),
      onFailed: (why) => this.#onPollFailed(why),
      onRewound: (seq) => this.#begin({ epoch: null, seq }, true),
    });
    this.#link = new Link(tokens, {
      url: () => this.#connectUrl(),
      webSocket: loadWebSocket,
      onConnecting: () => {
        if (this.#status.state !== 'polling') this.#setStatus({ state: 'connecting' });
      },
      onWelcome: (welcome, connection) => this.#onWelcome(welcome, connection),
      onFrame: (frame) => this.#onFrame(frame),
      onDown: (down) => this.#onDown(down),
      onStopped: (code, why) => this.#onStopped(code, why),
      onError: (error) => this.#tell(error),
    });
    void this.#start();
  }

  get status(): Status {
    return this.#status;
  }

  /**
   * Adds a listener and returns a function that removes it. A `message` is handled, and then acknowledged, when all
   * its handlers have returned and their promises have resolved. Only then the next message comes. If a handler
   * throws, it gets the same message again after 1 s, later up to 30 s, and no other message in between. Messages
   * wait while there is no handler.
   */
  on(name: 'message', handler: MessageHandler): () => void;
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (value: ClientEvents[Name]) => unknown,
  ): () => void;
  on<Name extends keyof ClientEvents>(
    name: Name | 'message',
    listener: MessageHandler | ((value: ClientEvents[Name]) => unknown),
  ): () => void {
    if (name === 'message') return this.#intake.handle(listener as MessageHandler);
    return this.#events.on(name, listener as (value: ClientEvents[Name]) => unknown);
  }

  /**
   * Yields messages one by one. Asking for the next message marks the one before as handled. Leaving the loop leaves
   * its message unhandled. The loop ends when the client is closed.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Delivery> {
    const loop = new DeliveryLoop((handler) => {
      const stop = this.#intake.handle(handler);
      return () => {
        stop();
        this.#loops.delete(loop);
      };
    });
    this.#loops.add(loop);
    if (this.#isOver) loop.end();
    return loop;
  }

  /**
   * Puts a message into the outbox. Once this resolves, the message is stored and will be sent, even after a reload.
   * `key` (1 to 255 visible ASCII characters) is its idempotency key: two sends with one key are one message.
   * @throws TypeError for a message that can never be sent, OutboxFullError, or what the store throws
   */
  async send(draft: Draft, { key }: { key?: string } = {}): Promise<Outgoing> {
    if (this.#isOver) throw new Error('send: the client is closed');
    return await this.#outbox.add(draft, key);
  }

  /**
   * Messages that are waiting, were refused (together at most 1,000), or are followed until they are read (the newest
   * 100).
   */
  outbox(): Outgoing[] {
    return this.#outbox.all();
  }

  /**
   * The message once it is accepted or refused. `undefined` if there is no such message, or the client is closed
   * first.
   */
  settled(key: string): Promise<Outgoing | undefined> {
    return this.#outbox.settled(key);
  }

  /** Sends a refused message again, under the same key. */
  retry(key: string): Promise<void> {
    return this.#outbox.retry(key);
  }

  /** Removes a message from the outbox. Returns false if the message may still be sent. */
  forget(key: string): Promise<boolean> {
    return this.#outbox.forget(key);
  }

  /** Marks messages as read by the user. Once this resolves, the marks are stored and will reach the senders. */
  async read(ids: string | readonly string[]): Promise<void> {
    if (this.#isOver) throw new Error('read: the client is closed');
    await this.#readMarks.add(typeof ids === 'string' ? [ids] : ids);
  }

  /** Connects again after `stopped`. If the client waits before an attempt, it tries at once. */
  resume(): void {
    if (this.#isOver || this.#status.state === 'waiting') return;
    this.#link.start();
    this.#wake();
  }

  /**
   * Closes the client: it hands out no more messages, waits at most 5 s for a running handler, and acknowledges what
   * was handled. The outbox stays in the store. Do not await this within a handler: the handler would wait for
   * itself.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { device } = this.#settings;
    const store = this.#store;
    try {
      if (store.lock !== undefined) {
        this.#setStatus({ state: 'waiting' });
        this.#releaseLock = await store.lock(this.#lockStop.signal);
      }
      if (this.#isOver) {
        this.#releaseLock();
        return;
      }
      if (!(await this.#identity.isDevice())) {
        this.#fail(`this store belongs to another device than ${device}: use one store for each device`);
        return;
      }
      this.#intake.open(newerOf(asCursor(await store.get(CURSOR)), this.#settings.after));
      await this.#outbox.adopt();
      await this.#readMarks.adopt();
    } catch (thrown) {
      if (!this.#isOver) this.#fail(`the store cannot be read: ${inWords(thrown)}`, thrown);
      return;
    }
    if (this.#isOver) return;
    this.#stopWakeUps = onWakeUp(() => this.#wake());
    this.#link.start();
  }

  #connectUrl(): string {
    const { url, device } = this.#settings;
    const position = this.#intake.position;
    const query = new URLSearchParams({ device });
    if (position !== undefined) query.set('after', String(position.seq));
    if (typeof position?.epoch === 'string') query.set('epoch', position.epoch);
    return `${url}?${query.toString()}`;
  }

  #onWelcome({ user, epoch, after, reset }: Welcome, connection: Connection): void {
    this.#checkUser(user).catch(() => undefined); // already reported
    this.#catchUp.stop();
    this.#connection = connection;
    this.#begin({ epoch, seq: after }, reset === true);
    this.#acker.begin(this.#intake.cursor?.seq ?? 0);
    this.#setStatus({ state: 'online' });
    this.#outbox.refresh();
    this.#readMarks.refresh();
  }

  #begin(cursor: Cursor, isReset: boolean): void {
    if (this.#intake.begin(cursor, isReset)) this.#events.emit('reset', cursor);
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === 'message') {
      const { type: _type, ...arrival } = frame;
      if (this.#intake.offer(arrival) === 'gap') this.#link.drop(`a gap before ${frame.seq}`);
    } else if (frame.type === 'skipped') {
      const { from, to } = frame;
      if (this.#intake.offerSkipped({ from, to }) === 'gap') this.#link.drop(`a gap before ${from}`);
    } else if (frame.type === 'caughtUp') {
      this.#intake.markCaughtUp();
    } else if (frame.type === 'receipt') {
      const { type: _type, ...receipt } = frame;
      this.#events.emit('receipt', receipt);
      void this.#outbox.onReceipt(receipt.id, receipt.user, receipt.status);
    } else if (frame.type === 'error') {
      this.#report('gateway', `${frame.code}: ${frame.detail}`);
    }
  }

  #onDown({ why, retryAtMs, refusals }: { why: string; retryAtMs: number; refusals: number }): void {
    this.#connection = undefined;
    this.#down = { why, retryAtMs };
    if (this.#status.state !== 'polling') this.#setStatus({ state: 'offline', why, retryAtMs });
    if (refusals >= REFUSALS_BEFORE_POLLING) this.#catchUp.start();
  }

  #onStopped(code: number, reason: string): void {
    this.#connection = undefined;
    this.#catchUp.stop();
    this.#setStatus({ state: 'stopped', code, why: reason === '' ? `closed with ${code}` : reason });
  }

  #onPage(): void {
    if (this.#status.state === 'polling') return;
    this.#setStatus({ state: 'polling' });
    this.#outbox.refresh();
    this.#readMarks.refresh();
  }

  #onPollFailed(why: string): void {
    if (this.#status.state === 'polling') this.#setStatus({ state: 'offline', ...this.#down, why });
  }

  #wake(): void {
    this.#link.wake();
    if (this.#catchUp.isRunning) this.#catchUp.start();
    this.#outbox.refresh();
    this.#readMarks.refresh();
  }

  /** @throws ClientError if the store belongs to another user; the client has then stopped */
  async #checkUser(user: string | undefined): Promise<void> {
    if (user === undefined || (await this.#identity.isUser(user))) return;
    const why = `this store belongs to another user than ${user}: use one store for each user`;
    this.#fail(why);
    throw new ClientError('token', why);
  }

  #keepCursor(cursor: Cursor): void | Promise<void> {
    // If the cursor cannot be stored, the client continues. After a reload these messages come again.
    try {
      const keeping = this.#store.set(CURSOR, cursor);
      if (isPromise(keeping)) return keeping.catch((thrown: unknown) => this.#report('store', thrown));
    } catch (thrown) {
      this.#report('store', thrown);
    }
  }

  #fail(why: string, cause?: unknown): void {
    if (this.#isOver) return;
    this.#tell(new ClientError('store', why, { cause }));
    this.#end();
    this.#releaseLock();
    this.#setStatus({ state: 'stopped', code: 0, why });
  }

  async #close(): Promise<void> {
    for (const loop of this.#loops) loop.end();
    await this.#intake.close(CLOSE_BOUND_MS);
    this.#acker.flush();
    this.#end();
    const bound = new Pause();
    await Promise.race([this.#store.written(), bound.wait(CLOSE_BOUND_MS)]);
    bound.end();
    this.#releaseLock();
    this.#setStatus({ state: 'closed' });
    this.#events.clear();
  }

  #end(): void {
    this.#isOver = true;
    for (const loop of this.#loops) loop.end();
    this.#stopWakeUps();
    this.#lockStop.abort();
    this.#link.stop();
    this.#catchUp.stop();
    this.#outbox.close();
    this.#readMarks.close();
    this.#api.close();
    void this.#intake.close(0);
    this.#connection = undefined;
  }

  #setStatus(status: Status): void {
    if (this.#status.state === status.state && status.state !== 'offline' && status.state !== 'stopped')
      return;
    this.#status = status;
    this.#events.emit('status', status);
  }

  #report(source: ClientError['source'], thrown: unknown): void {
    this.#tell(new ClientError(source, inWords(thrown), { cause: thrown }));
  }

  #tell(error: ClientError): void {
    if (!this.#events.emit('error', error)) reportUnheard(error);
  }
}

/**
 * The application's position wins, unless the epochs differ: then the inbox was restored, and only the store has
 * learned of it.
 */
function newerOf(stored: Cursor | undefined, told: Cursor | undefined): Cursor | undefined {
  if (stored === undefined || told === undefined) return told ?? stored;
  const isOtherLife = stored.epoch !== null && told.epoch !== null && stored.epoch !== told.epoch;
  return isOtherLife ? stored : { epoch: told.epoch ?? stored.epoch, seq: told.seq };
}
