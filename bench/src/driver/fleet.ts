import { Device, type DeviceEvents } from './device';
import type { Dialect } from './dialect';
import type { Tokens } from './tokens';
import type { Address } from './web-socket';

/** The result of several connects. */
export interface ConnectOutcome {
  /** From the first connect until the last device was ready, in ms. */
  ms: number;
  ready: number;
  /** Until everything that waited had arrived, if the system reports that. */
  caughtUpMs: number;
  /** Connects that were refused or broke, by status or close code. */
  failures: Record<string, number>;
}

/** Which devices connect, and how. */
export interface ConnectPlan {
  from: number;
  count: number;
  /** How many connects run at the same time. */
  parallel: number;
  /** The gateway to use; all in turn by default. */
  gateway?: number;
  /** How often a device retries after a refusal or a break, each time after a random wait; 0 by default. */
  retries?: number;
  boundMs: number;
}

const FLUSH_MS = 50;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 1_000;

/** All devices of a measurement, on real connections. */
export class Fleet {
  readonly #dialect: Dialect;
  readonly #tokens: Tokens;
  readonly #gateways: readonly Address[];
  readonly #onMessage: (device: number, frame: string) => void;
  readonly #devices: Device[] = [];
  readonly #flusher: NodeJS.Timeout;
  #unacked: Device[] = [];
  #onReady: (() => void) | null = null;
  #onCaughtUp: (() => void) | null = null;
  #onEnd: ((device: Device, code: number | null) => void) | null = null;

  constructor(
    dialect: Dialect,
    tokens: Tokens,
    gateways: readonly Address[],
    onMessage: (device: number, frame: string) => void,
  ) {
    this.#dialect = dialect;
    this.#tokens = tokens;
    this.#gateways = gateways;
    this.#onMessage = onMessage;
    // One timer for all devices, because thousands of timers would disturb the measurement.
    this.#flusher = setInterval(() => this.flush(), FLUSH_MS);
  }

  get readyCount(): number {
    return this.#devices.reduce((sum, device) => sum + (device.isReady ? 1 : 0), 0);
  }

  /** Acknowledges the messages since the last flush. */
  flush(): void {
    const devices = this.#unacked;
    this.#unacked = [];
    for (const device of devices) device.flush();
  }

  /** Connects devices. Resolves when all are ready (and caught up, if the system reports that), or at the bound. */
  async connect(plan: ConnectPlan): Promise<ConnectOutcome> {
    const startedAt = performance.now();
    const tries = new Map<Device, number>();
    const failures: Record<string, number> = {};
    const waiting = Array.from({ length: plan.count }, (_, nth) => this.#device(plan.from + nth));
    const wanted = waiting.length;
    let [ready, caughtUp, given] = [0, 0, 0];
    let [readyMs, caughtUpMs] = [0, 0];
    const { saysCaughtUp } = this.#dialect;

    await new Promise<void>((resolve) => {
      const bound = setTimeout(resolve, plan.boundMs);
      const isDone = (): boolean => ready + given >= wanted && (!saysCaughtUp || caughtUp + given >= wanted);
      const settle = (): void => {
        if (!isDone()) return;
        clearTimeout(bound);
        resolve();
      };
      const next = (): void => {
        const device = waiting.pop();
        if (device !== undefined) this.#connect(device, plan.gateway);
      };
      this.#onReady = () => {
        ready++;
        readyMs = performance.now() - startedAt;
        next();
        settle();
      };
      this.#onCaughtUp = () => {
        caughtUp++;
        caughtUpMs = performance.now() - startedAt;
        settle();
      };
      this.#onEnd = (device, code) => {
        failures[String(code ?? 'broken')] = (failures[String(code ?? 'broken')] ?? 0) + 1;
        const tried = (tries.get(device) ?? 0) + 1;
        tries.set(device, tried);
        if (tried <= (plan.retries ?? 0)) {
          const waitMs = RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS);
          setTimeout(() => this.#connect(device, plan.gateway), waitMs);
          return;
        }
        given++;
        next();
        settle();
      };
      for (let nth = 0; nth < Math.min(plan.parallel, wanted); nth++) next();
    });
    this.#onReady = null;
    this.#onCaughtUp = null;
    this.#onEnd = null;
    return { ms: readyMs, ready, caughtUpMs, failures };
  }

  /** Resolves when all connections have broken by themselves, or at the bound. */
  async allGone(boundMs: number): Promise<void> {
    const boundAt = performance.now() + boundMs;
    while (this.#devices.some((device) => device.isConnected) && performance.now() < boundAt) await tick();
  }

  /** Ends all connections. */
  async disconnect(): Promise<void> {
    this.flush();
    for (const device of this.#devices) device.destroy();
    await this.allGone(10_000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#flusher);
    await this.disconnect();
  }

  #connect(device: Device, gateway = device.index % this.#gateways.length): void {
    const address = this.#gateways[gateway];
    if (address === undefined) throw new Error(`there is no gateway ${gateway}`);
    device.connect(address, this.#tokens.of(`u${device.index}`));
  }

  #device(index: number): Device {
    const known = this.#devices[index];
    if (known !== undefined) return known;
    const device = new Device(index, this.#dialect, this.#events);
    this.#devices[index] = device;
    return device;
  }

  readonly #events: DeviceEvents = {
    onReady: () => this.#onReady?.(),
    onCaughtUp: () => this.#onCaughtUp?.(),
    onMessage: (device, frame) => this.#onMessage(device.index, frame),
    onUnacked: (device) => void this.#unacked.push(device),
    onEnd: (device, code) => this.#onEnd?.(device, code),
  };
}

function tick(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}
