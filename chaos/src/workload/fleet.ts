import type { HistoryRecorder } from '../history/recorder';
import type { Random } from '../random';
import type { ClientControl } from '../world/chaos-world';
import { type AckHabit, MANUAL_HABITS } from './ack-habit';
import { Device } from './device';

/** What a fleet needs. */
export interface FleetOptions {
  users: readonly string[];
  gateways: readonly { label: string; url: string }[];
  token: (user: string) => string;
  recorder: HistoryRecorder;
  random: Random;
  silenceMs: number;
}

/** Every second user has a second device, and every fifth user a device with `ack=auto`. */
const SECOND_EVERY = 2;
const AUTO_EVERY = 5;
const READ_SHARE = 0.3;
const FLAP_PAUSE_MS = 60;

/** All devices of the workload. */
export class Fleet implements ClientControl {
  readonly users: readonly string[];
  readonly devices: Device[] = [];
  readonly #options: FleetOptions;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.users = options.users;
    for (const [index, user] of options.users.entries()) {
      this.#add({ user, device: 'd1', habit: habitOf(index), readShare: READ_SHARE });
      if (index % SECOND_EVERY === 0)
        this.#add({ user, device: 'd2', habit: habitOf(index / SECOND_EVERY), readShare: 0 });
      if (index % AUTO_EVERY === 0) this.#add({ user, device: 'auto', habit: 'auto', readShare: 0 });
    }
  }

  /** Starts the devices: they connect, and come and go. */
  start(): void {
    this.#running = Promise.all(this.devices.map((device) => device.run()));
  }

  /** All devices connect and stay. */
  settle(): void {
    for (const device of this.devices) device.settle();
  }

  /** All devices leave permanently. */
  async stop(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
    await this.#running;
  }

  /** A new device for each user, which reads the inbox from its start and stays. It is not part of the fleet. */
  fresh(): Device[] {
    return this.users.map((user) => {
      const device = this.#create({ user, device: 'fresh', habit: 'at once', readShare: 0 });
      device.settle();
      return device;
    });
  }

  cut(share: number): number {
    return this.#some(share).filter((device) => device.cut()).length;
  }

  deafen(share: number): { count: number; heal: () => void } {
    const connections = this.#some(share).flatMap(({ connection }) =>
      connection === null ? [] : [connection],
    );
    for (const connection of connections) connection.deafen(true);
    return {
      count: connections.length,
      heal: () => {
        for (const connection of connections) connection.deafen(false);
      },
    };
  }

  flap(share: number): { count: () => number; heal: () => void } {
    const devices = this.#some(share);
    let count = 0;
    const timer = setInterval(() => {
      for (const device of devices) if (device.cut()) count++;
    }, FLAP_PAUSE_MS);
    return { count: () => count, heal: () => clearInterval(timer) };
  }

  #add(kind: Pick<Device['options'], 'user' | 'device' | 'habit' | 'readShare'>): void {
    this.devices.push(this.#create(kind));
  }

  #create(kind: Pick<Device['options'], 'user' | 'device' | 'habit' | 'readShare'>): Device {
    const { gateways, token, recorder, random, silenceMs } = this.#options;
    return new Device({
      ...kind,
      gateways,
      token: token(kind.user),
      recorder,
      random: random.fork(),
      silenceMs,
    });
  }

  #some(share: number): Device[] {
    const { random } = this.#options;
    return this.devices.filter(() => random.chance(share));
  }
}

function habitOf(index: number): AckHabit {
  return MANUAL_HABITS[index % MANUAL_HABITS.length] ?? 'at once';
}
