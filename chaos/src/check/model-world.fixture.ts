import { toStringMethod } from 'fast-check';
import type { EndState, Happening, HistoryEvent, StoreState } from '../history/history';
import type { CheckOptions } from './check-options';

/** The check's options for a run of the model. */
export const MODEL_OPTIONS: CheckOptions = {
  reconcileIntervalMs: 1_000,
  window: 8,
  promptMs: 500,
};

/** The outcome of a send in the model. */
export type SendFate = 'created' | 'replayed' | 'lost' | 'stored, but not told' | 'refused';

/** The outcome of a device's frame. `done, but not told`: the connection breaks before its `ok`. */
export type FrameFate = 'done' | 'done, but not told' | 'lost';

/** A message of the model. */
export interface ModelMessage {
  id: string;
  key: string;
  from: string;
  to: string[];
  h: string;
}

type Body = Omit<ModelMessage, 'id'>;

const EPOCH = 'epoch';
/** Short, so that a message which waits for a few hundred steps still counts as prompt. */
const STEP_MS = 0.01;

/**
 * A messaging system that is small enough to be right: inboxes in memory, one step at a time. It writes the history
 * that a harness would write. Whatever is done to it, the history is valid.
 */
export class ModelWorld {
  readonly events: HistoryEvent[] = [];
  readonly messages = new Map<string, ModelMessage & { createdAt: string }>();
  readonly inboxes = new Map<string, string[]>();
  readonly receipts = new Map<string, StoreState['receipts'][number]>();
  readonly devices = new Map<string, ModelDevice>();
  readonly #idByKey = new Map<string, string>();
  readonly #lives = new Map<string, number>();
  #t = 0;
  #count = 0;

  record(p: string, happening: Happening): void {
    this.events.push({ i: this.events.length, t: (this.#t += STEP_MS), p, ...happening });
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.#t += ms;
  }

  /** fast-check prints this for a failing run. */
  [toStringMethod](): string {
    return this.events
      .map(({ i, p, type, f, v }) => `\n${i} ${p} ${type} ${f} ${JSON.stringify(v)}`)
      .join('');
  }

  get now(): string {
    return new Date(this.#t).toISOString();
  }

  /** A new message, sent once. */
  send(from: string, to: string[], fate: SendFate = 'created'): Body {
    const nth = ++this.#count;
    const body = { key: `key-${nth}`, from, to, h: `hash-${nth}` };
    this.attempt(body, fate);
    return body;
  }

  /** One request for a message. A message that was stored before is replayed, whatever `fate` says. */
  attempt(body: Body, fate: SendFate): void {
    const { key, from, to, h } = body;
    const sender = `sender-${from}`;
    const p = `${sender}#${this.#lives.get(sender) ?? 1}`;
    this.record(p, { type: 'invoke', f: 'send', v: { key, from, to, h } });
    const known = this.#idByKey.get(key);
    if (fate === 'refused') {
      this.record(p, { type: 'fail', f: 'send', v: { key, http: 429, ms: 1 } });
      return;
    }
    const id = known ?? (fate === 'lost' ? null : this.#store(body));
    if (id === null || fate === 'stored, but not told' || fate === 'lost') {
      this.record(p, { type: 'info', f: 'send', v: { key, error: 'ECONNRESET', ms: 1 } });
      this.#lives.set(sender, (this.#lives.get(sender) ?? 1) + 1);
      return;
    }
    this.record(p, { type: 'ok', f: 'send', v: { key, id, http: known === undefined ? 201 : 200, ms: 1 } });
  }

  /** Sends another body under a used key. */
  twist({ key, from, to }: Body): void {
    const p = `sender-${from}#${this.#lives.get(`sender-${from}`) ?? 1}`;
    this.record(p, { type: 'invoke', f: 'send', v: { key, from, to, h: `${key}-twisted`, twist: true } });
    this.record(p, { type: 'fail', f: 'send', v: { key, http: 422, ms: 1, twist: true } });
  }

  device(user: string, name: string, ack: 'manual' | 'auto' = 'manual'): ModelDevice {
    const key = `${user}/${name}`;
    const device = this.devices.get(key) ?? new ModelDevice(this, user, name, ack);
    this.devices.set(key, device);
    return device;
  }

  inboxOf(user: string): string[] {
    const inbox = this.inboxes.get(user) ?? [];
    this.inboxes.set(user, inbox);
    return inbox;
  }

  /** The first delivery or reading of a message: it is recorded, and the sender's devices get a receipt. */
  receipt(id: string, user: string, status: 'delivered' | 'read'): void {
    const at = this.now;
    const row = this.receipts.get(`${id} ${user}`) ?? { id, user, deliveredAt: at, readAt: null };
    const isNews = status === 'read' ? row.readAt === null : !this.receipts.has(`${id} ${user}`);
    if (status === 'read') row.readAt ??= at;
    this.receipts.set(`${id} ${user}`, row);
    if (!isNews) return;
    for (const device of this.devices.values()) {
      if (device.user === this.messages.get(id)?.from) device.hear({ id, user, status, at });
    }
  }

  fault(id: string, during: () => void): void {
    this.record('nemesis', { type: 'info', f: 'fault', v: { id, phase: 'start', target: 'model' } });
    during();
    const v = { id, phase: 'end', target: 'model', effect: 'seen' } as const;
    this.record('nemesis', { type: 'info', f: 'fault', v });
  }

  /**
   * The end of a run: all devices connect and stay, fresh devices read everything, and the store is read.
   * @param late runs at the very end of the final phase
   */
  finish(late?: () => void): void {
    const known = [...this.devices.values()];
    this.record('harness', { type: 'info', f: 'phase', v: { name: 'final' } });
    for (const device of known) device.catchUp();
    this.wait(10_000);
    late?.();
    this.record('harness', { type: 'info', f: 'phase', v: { name: 'fresh' } });
    for (const user of new Set(known.map((device) => device.user))) this.device(user, 'fresh').catchUp();
    this.record('harness', { type: 'info', f: 'phase', v: { name: 'over' } });
    for (const device of this.devices.values()) device.leave('device');
    this.record('harness', { type: 'info', f: 'store', v: this.store() });
    const end: EndState = {
      presenceFields: 0,
      connections: 0,
      bufferedBytes: 0,
      longestList: 3,
      listCap: 1000,
      exits: [{ process: 'ws-gateway 0', code: 0, signal: null }],
    };
    this.record('harness', { type: 'info', f: 'end', v: end });
  }

  /** A copy of the current rows. */
  store(): StoreState {
    const devices = [...this.devices.values()];
    return {
      epoch: EPOCH,
      messages: [...this.messages.values()].map(({ from, ...message }) => ({ ...message, sender: from })),
      entries: [...this.inboxes].flatMap(([user, ids]) =>
        ids.map((id, index) => ({ user, seq: index + 1, id })),
      ),
      inboxes: [...this.inboxes].map(([user, ids]) => ({ user, newestSeq: ids.length })),
      devices: devices.map(({ user, name, cursor }) => ({ user, device: name, cursor })),
      receipts: [...this.receipts.values()].map((row) => ({ ...row })),
    };
  }

  #store(body: Body): string {
    const id = `id-${body.key}`;
    this.#idByKey.set(body.key, id);
    this.messages.set(id, { ...body, id, createdAt: this.now });
    for (const user of new Set(body.to)) this.inboxOf(user).push(id);
    return id;
  }
}

/** A device of the model, on one connection after another. */
export class ModelDevice {
  readonly user: string;
  readonly name: string;
  cursor = 0;
  readonly #world: ModelWorld;
  readonly #ack: 'manual' | 'auto';
  #count = 0;
  #isOpen = false;
  #sent = 0;
  #acked = 0;
  #caughtUpAt = 0;
  #isCaughtUp = false;

  constructor(world: ModelWorld, user: string, name: string, ack: 'manual' | 'auto') {
    this.#world = world;
    this.user = user;
    this.name = name;
    this.#ack = ack;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get #p(): string {
    return `${this.user}/${this.name}#${this.#count}`;
  }

  get #inbox(): string[] {
    return this.#world.inboxOf(this.user);
  }

  /** Opens a new connection, which takes over an open one. */
  connect(after?: number): void {
    if (this.#isOpen) this.leave('server', 4509);
    this.#count++;
    const lastSeq = this.#inbox.length;
    const isReset = after !== undefined && after > lastSeq;
    this.#isOpen = true;
    this.#sent = after === undefined || isReset ? this.cursor : after;
    this.#acked = this.#sent;
    this.#caughtUpAt = lastSeq;
    this.#isCaughtUp = false;
    const asked = after === undefined ? {} : { after };
    this.#record({ type: 'invoke', f: 'connect', v: { gateway: 'a', ack: this.#ack, ...asked } });
    const reset = isReset ? { reset: true as const } : {};
    const v = { after: this.#sent, lastSeq, epoch: EPOCH, session: `session of ${this.#p}`, ms: 1, ...reset };
    this.#record({ type: 'ok', f: 'welcome', v });
    this.#tellCaughtUp();
  }

  /** Sends it the next messages: at most this many, and as many as its window allows. */
  deliver(most = Number.POSITIVE_INFINITY): void {
    for (let nth = 0; this.#isOpen && nth < most; nth++) {
      const id = this.#inbox[this.#sent];
      const message = id === undefined ? undefined : this.#world.messages.get(id);
      if (message === undefined || this.#sent - this.#acked >= MODEL_OPTIONS.window) return;
      const seq = ++this.#sent;
      const hasTo = message.from === this.user ? { hasTo: true as const } : {};
      this.#record({
        type: 'ok',
        f: 'message',
        v: { id: message.id, seq, from: message.from, h: message.h, ...hasTo },
      });
      if (this.#ack === 'auto') this.#moveCursor(seq);
      this.#tellCaughtUp();
    }
  }

  /** Acknowledges what it got, or the given `seq`. */
  ack(fate: FrameFate = 'done', seq = this.#sent): void {
    if (!this.#isOpen || seq > this.#sent) return;
    this.#record({ type: 'invoke', f: 'ack', v: { seq } });
    if (fate !== 'lost') {
      this.#moveCursor(seq);
      if (fate === 'done') this.#record({ type: 'ok', f: 'ack', v: { seq } });
    }
    if (fate === 'done') return;
    this.#record({ type: 'info', f: 'ack', v: { seq, error: 'closed' } });
    this.leave('device');
  }

  /** Marks a message of the inbox as read. */
  read(seq: number, fate: FrameFate = 'done'): void {
    const id = this.#inbox[seq - 1];
    if (!this.#isOpen || id === undefined || seq > this.#sent) return;
    this.#record({ type: 'invoke', f: 'read', v: { ids: [id] } });
    if (fate !== 'lost') this.#world.receipt(id, this.user, 'read');
    if (fate === 'done') this.#record({ type: 'ok', f: 'read', v: { ids: [id] } });
    else this.#record({ type: 'info', f: 'read', v: { ids: [id], error: 'unavailable' } });
  }

  /** Gets a receipt frame, if it is connected. */
  hear(v: { id: string; user: string; status: 'delivered' | 'read'; at: string }): void {
    if (this.#isOpen) this.#record({ type: 'ok', f: 'receipt', v });
  }

  leave(by: 'device' | 'server', code = 1000): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#record({ type: 'info', f: 'closed', v: { code, by } });
  }

  /** Connects if necessary, and gets and acknowledges everything. */
  catchUp(): void {
    if (!this.#isOpen) this.connect();
    while (this.#sent < this.#inbox.length) {
      this.deliver();
      this.ack();
    }
  }

  #record(happening: Happening): void {
    this.#world.record(this.#p, happening);
  }

  #tellCaughtUp(): void {
    if (this.#isCaughtUp || this.#sent < this.#caughtUpAt) return;
    this.#isCaughtUp = true;
    this.#record({ type: 'ok', f: 'caughtUp', v: { seq: this.#sent } });
  }

  #moveCursor(seq: number): void {
    this.#acked = Math.max(this.#acked, seq);
    const before = this.cursor;
    this.cursor = Math.max(before, seq);
    for (const id of this.#inbox.slice(before, seq)) this.#world.receipt(id, this.user, 'delivered');
  }
}
