import type { ServiceProcess } from '@posthorn/stack';

/** The worst values of one process. */
export interface Worst {
  /** The longest pause of the event loop, in ms. */
  loopPauseMs: number;
  /** Resident memory, MiB. */
  rssMiB: number;
}

const INTERVAL_MS = 500;

/** Reads the services' metrics repeatedly, because pauses of the event loop would be missed otherwise. */
export class ServiceWatch {
  readonly #services: readonly ServiceProcess[];
  readonly #worst = new Map<ServiceProcess, Worst>();
  readonly #timer: NodeJS.Timeout;
  #reading: Promise<void> = Promise.resolve();

  constructor(services: readonly ServiceProcess[]) {
    this.#services = services;
    this.#timer = setInterval(() => {
      this.#reading = this.#read();
    }, INTERVAL_MS);
  }

  /** The worst values of all processes of one service, since the start or the last call. */
  async takeWorst(name: ServiceProcess['name']): Promise<Worst> {
    await this.#reading;
    await this.#read();
    const worst: Worst = { loopPauseMs: 0, rssMiB: 0 };
    for (const [service, seen] of this.#worst) {
      if (service.name !== name) continue;
      worst.loopPauseMs = Math.max(worst.loopPauseMs, seen.loopPauseMs);
      worst.rssMiB = Math.max(worst.rssMiB, seen.rssMiB);
      this.#worst.delete(service);
    }
    return worst;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  async #read(): Promise<void> {
    await Promise.all(
      this.#services.map(async (service) => {
        const text = await (await fetch(`${service.adminUrl}/metrics`)).text();
        const seen = this.#worst.get(service) ?? { loopPauseMs: 0, rssMiB: 0 };
        this.#worst.set(service, {
          loopPauseMs: Math.max(seen.loopPauseMs, metric(text, 'nodejs_eventloop_lag_max_seconds') * 1000),
          rssMiB: Math.max(seen.rssMiB, metric(text, 'process_resident_memory_bytes') / 2 ** 20),
        });
      }),
    );
  }
}

/** The sum of a metric over its labels; 0 if it is missing. */
function metric(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
}
