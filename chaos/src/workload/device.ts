import { setTimeout as sleep } from 'node:timers/promises';
import { mayReconnect } from '@posthorn/protocol';
import type { HistoryRecorder } from '../history/recorder';
import type { Random } from '../random';
import type { AckHabit } from './ack-habit';
import { DeviceConnection } from './device-connection';

/** The properties of a device, and what it needs. */
export interface DeviceOptions {
  user: string;
  device: string;
  habit: AckHabit;
  /** The share of messages that it marks as read. */
  readShare: number;
  /** The public addresses of the gateways, `ws://127.0.0.1:PORT/v1/connect`, by label. */
  gateways: readonly { label: string; url: string }[];
  token: string;
  recorder: HistoryRecorder;
  random: Random;
  /** A peer that is silent for this long is given up. */
  silenceMs: number;
}

/** How long a device is online and offline while it comes and goes, in ms. */
const ONLINE_MS = [1_000, 10_000] as const;
const OFFLINE_MS = [0, 4_000] as const;
const RETRY_MS = [100, 600] as const;
/** The network ends an abandoned connection this much later. */
const ABANDONED_MS = 8_000;

/** One device of a user, over many connections. It comes and goes, and acknowledges in its way. */
export class Device {
  readonly name: string;
  readonly options: DeviceOptions;
  readonly #stopping = new AbortController();
  readonly #abandoned = new Set<DeviceConnection>();
  #connection: DeviceConnection | null = null;
  #lives = 0;
  #mayLeave = true;
  #leaveNow = new AbortController();

  constructor(options: DeviceOptions) {
    this.options = options;
    this.name = `${options.user}/${options.device}`;
  }

  /** The open connection. */
  get connection(): DeviceConnection | null {
    return this.#connection;
  }

  /** Connects repeatedly, until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const connection = await this.#connect();
      if (this.#stopping.signal.aborted) {
        await connection?.close();
        break;
      }
      if (connection !== null) await this.#stay(connection);
      const [min, max] = connection === null || !this.#mayLeave ? RETRY_MS : OFFLINE_MS;
      const pauseMs = connection?.reconnectAfterMs ?? this.options.random.int(min, max);
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined); // stopped
    }
    for (const connection of this.#abandoned) connection.destroy();
  }

  /** From now on it reconnects at once and stays. */
  settle(): void {
    this.#mayLeave = false;
    this.#leaveNow.abort();
    for (const connection of this.#abandoned) connection.destroy();
  }

  /** Cuts its connection without a close frame. */
  cut(): boolean {
    const connection = this.#connection;
    connection?.destroy();
    return connection !== null;
  }

  /** Leaves permanently. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#leaveNow.abort();
    await this.#connection?.close();
  }

  async #connect(): Promise<DeviceConnection | null> {
    const { random, gateways } = this.options;
    const gateway = random.pick(gateways);
    const p = `${this.name}#${++this.#lives}`;
    const connection = new DeviceConnection(p, gateway, { ...this.options, random: random.fork() });
    return (await connection.opened()) ? connection : null;
  }

  /** Waits until the connection is closed from outside, or the device's time is over. */
  async #stay(connection: DeviceConnection): Promise<void> {
    const { random } = this.options;
    this.#connection = connection;
    this.#leaveNow = new AbortController();
    const leaving = this.#mayLeave
      ? sleep(random.int(...ONLINE_MS), undefined, { signal: this.#leaveNow.signal }).catch(() => undefined) // the device should stay
      : new Promise<void>(() => undefined);
    await Promise.race([connection.closed, leaving]);
    this.#leaveNow.abort();
    if (connection.closeCode === null && this.#mayLeave && !this.#stopping.signal.aborted)
      await this.#leave(connection);
    else await connection.closed;
    this.#connection = null;
    if (connection.closeCode !== null && connection.isClosedByServer && !mayReconnect(connection.closeCode)) {
      // Either its own later connection took over, or our code is wrong and the check will report it.
      await sleep(RETRY_MS[1]);
    }
  }

  async #leave(connection: DeviceConnection): Promise<void> {
    const way = this.options.random.int(1, 10);
    if (way <= 4) return await connection.close();
    if (way <= 8) return connection.destroy();
    connection.abandon();
    this.#abandoned.add(connection);
    void sleep(ABANDONED_MS, undefined, { signal: this.#stopping.signal })
      .catch(() => undefined) // stopped
      .then(() => {
        connection.destroy();
        this.#abandoned.delete(connection);
      });
  }
}
