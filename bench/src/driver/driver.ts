import { setTimeout as sleep } from 'node:timers/promises';
import { type Dialect, type DialectName, dialects } from './dialect';
import { type ConnectOutcome, type ConnectPlan, Fleet } from './fleet';
import { HttpConnection } from './http-connection';
import { type Account, EVERYBODY, Ledger } from './ledger';
import { messageText, readMessageText } from './message-text';
import { pace } from './pacer';
import { type Percentiles, percentilesOf } from './percentiles';
import { Tokens } from './tokens';
import type { Address } from './web-socket';

/** The system under load. */
export interface Target {
  dialect: DialectName;
  secret: string;
  apis: Address[];
  gateways: Address[];
}

/** What to send. */
export interface SendPlan {
  /** Keep-alive connections, each with at most one request in flight. */
  senders: number;
  /** How many users send, in turn. */
  users: number;
  /** Each message goes to one of this many devices or, with `isToAll`, to all of them. */
  devices: number;
  isToAll?: boolean;
  /**
   * A fixed rate that does not depend on the answers. Without it each sender sends again as soon as it has its
   * answer.
   */
  perSecond?: number;
  /** No message is started after this time, or after this many messages. */
  ms: number;
  maxMessages: number;
  /** The recipients are not connected. The messages wait for `drain`. */
  isOffline?: boolean;
}

/** The result of a load. */
export interface SendOutcome {
  account: Account;
  /** From the first send to the last delivery (or to the last answer if nobody is connected), in ms. */
  ms: number;
  /** The time from the send (at a fixed rate, from when it was due) to the answer, and to the frame. */
  post: Percentiles;
  frame: Percentiles;
}

/** The result of a drain. */
export interface DrainOutcome {
  account: Account;
  /** From the first connect to the last message, in ms. */
  ms: number;
}

const DELIVERY_BOUND_MS = 120_000;
/** In this time the last acknowledgements leave with the next flush and are committed. */
const SETTLE_MS = 250;
/** Spreads consecutive numbers over all devices. */
const EVEN = 0x9e3779b1;

/** Puts load on one system and accounts for every message. One measurement after another. */
export class Driver {
  readonly #target: Target;
  readonly #dialect: Dialect;
  readonly #tokens: Tokens;
  readonly #fleet: Fleet;
  #ledger = new Ledger(0);
  #phase = 0;

  constructor(target: Target) {
    this.#target = target;
    this.#dialect = dialects[target.dialect];
    this.#tokens = new Tokens(target.secret);
    this.#fleet = new Fleet(this.#dialect, this.#tokens, target.gateways, (device, frame) => {
      const { phase, number } = readMessageText(frame);
      if (phase === this.#phase) this.#ledger.arrive(number, device, performance.now());
      else this.#ledger.arriveLate();
    });
  }

  connect(plan: ConnectPlan): Promise<ConnectOutcome> {
    return this.#fleet.connect(plan);
  }

  async disconnect(): Promise<void> {
    await this.#fleet.disconnect();
  }

  async allGone(boundMs: number): Promise<void> {
    await this.#fleet.allGone(boundMs);
  }

  async stop(): Promise<void> {
    await this.#fleet.stop();
  }

  /** Sends, and waits until every message has arrived. */
  async send(plan: SendPlan): Promise<SendOutcome> {
    this.#phase++;
    this.#ledger = new Ledger(plan.maxMessages, plan.isToAll === true ? plan.devices : 0);
    const postMs = new Float64Array(plan.maxMessages);
    const startedAt = performance.now();
    const begin = this.#beginner(plan, postMs);
    const connections = Array.from(
      { length: plan.senders },
      (_, nth) => new HttpConnection(this.#target.apis[nth % this.#target.apis.length] ?? NOWHERE),
    );
    const posts =
      plan.perSecond === undefined
        ? await sendAtWill(
            connections,
            begin,
            () => performance.now() - startedAt >= plan.ms || this.#ledger.isFull,
          )
        : await sendAtRate(
            connections,
            begin,
            plan.perSecond,
            Math.min(plan.maxMessages, Math.floor((plan.ms / 1_000) * plan.perSecond)),
          );
    for (const connection of connections) connection.close();
    if (plan.isOffline !== true) await this.#allArrived();
    const ms = performance.now() - startedAt;
    await this.#settled();
    return {
      account: this.#ledger.account(),
      ms,
      post: percentilesOf(postMs.subarray(0, posts)),
      frame: percentilesOf(this.#ledger.latencies()),
    };
  }

  /** Connects the recipients of the messages that were sent while they were away. */
  async drain(plan: ConnectPlan): Promise<DrainOutcome> {
    const startedAt = performance.now();
    const connecting = this.#fleet.connect(plan);
    await this.#allArrived();
    const ms = performance.now() - startedAt;
    await connecting;
    await this.#settled();
    return { account: this.#ledger.account(), ms };
  }

  /** Requests a path repeatedly, one request at a time, as each of `users` in turn. */
  async get(path: string, users: readonly string[], count: number): Promise<Percentiles> {
    const connection = new HttpConnection(this.#target.apis[0] ?? NOWHERE);
    const ms = new Float64Array(count);
    for (let nth = 0; nth < count; nth++) {
      const startedAt = performance.now();
      await new Promise<void>((resolve, reject) => {
        connection.get(path, this.#tokens.of(users[nth % users.length] ?? ''), (status, text) => {
          if (status === 200) resolve();
          else reject(new Error(`GET ${path} was answered with ${status}: ${text.slice(0, 200)}`));
        });
      });
      ms[nth] = performance.now() - startedAt;
    }
    connection.close();
    return percentilesOf(ms);
  }

  /** Returns a function that sends the next message over a connection. `postMs` collects the durations. */
  #beginner(plan: SendPlan, postMs: Float64Array): Begin {
    const everybody = JSON.stringify(Array.from({ length: plan.devices }, (_, device) => `u${device}`));
    const phase = this.#phase;
    const ledger = this.#ledger;
    return (connection, sentAt, onSettled) => {
      const device = (Math.imul(ledger.count + 1, EVEN) >>> 0) % plan.devices;
      const number = ledger.send(plan.isToAll === true ? EVERYBODY : device, sentAt);
      const to = plan.isToAll === true ? everybody : `["u${device}"]`;
      const body = `{"to":${to},"text":"${messageText(phase, number)}"}`;
      const token = this.#tokens.of(`s${number % plan.users}`);
      connection.post(this.#dialect.sendPath, token, body, (status) => {
        postMs[number] = performance.now() - sentAt;
        ledger.settle(number, status === 201);
        onSettled();
      });
    };
  }

  async #allArrived(): Promise<void> {
    const ledger = this.#ledger;
    let [arrived, boundAt] = [ledger.arrived, performance.now() + DELIVERY_BOUND_MS];
    // Wait as long as messages keep arriving: a slow drain is slow, but nothing is lost.
    while (!ledger.isComplete && performance.now() < boundAt) {
      await sleep(1);
      if (ledger.arrived > arrived)
        [arrived, boundAt] = [ledger.arrived, performance.now() + DELIVERY_BOUND_MS];
    }
  }

  async #settled(): Promise<void> {
    this.#fleet.flush();
    await sleep(SETTLE_MS);
  }
}

type Begin = (connection: HttpConnection, sentAt: number, onSettled: () => void) => void;

const NOWHERE: Address = { host: '127.0.0.1', port: 9 };

/** Each connection sends as soon as it has its answer. Resolves with the number of sends. */
async function sendAtWill(
  connections: readonly HttpConnection[],
  begin: Begin,
  isOver: () => boolean,
): Promise<number> {
  let count = 0;
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = (): void => {
            if (isOver()) return resolve();
            count++;
            begin(connection, performance.now(), next);
          };
          next();
        }),
    ),
  );
  return count;
}

/** Sends at each due time. If no connection is free, the send waits, and its time still counts from when it was due. */
async function sendAtRate(
  connections: readonly HttpConnection[],
  begin: Begin,
  perSecond: number,
  count: number,
): Promise<number> {
  const free = [...connections];
  const late: number[] = [];
  let settled = 0;
  let onAllSettled: () => void = () => {};
  const allSettled = new Promise<void>((resolve) => {
    onAllSettled = resolve;
  });
  const start = (connection: HttpConnection, dueAt: number): void =>
    begin(connection, dueAt, () => {
      const waiting = late.shift();
      if (waiting === undefined) free.push(connection);
      else start(connection, waiting);
      if (++settled === count) onAllSettled();
    });
  await pace(1_000 / perSecond, count, (dueAt) => {
    const connection = free.pop();
    if (connection === undefined) late.push(dueAt);
    else start(connection, dueAt);
  });
  await allSettled;
  return count;
}
