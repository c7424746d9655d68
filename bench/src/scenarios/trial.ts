import type { DialectName } from '../driver/dialect';
import type { Account } from '../driver/ledger';
import { RemoteDriver } from '../driver/remote-driver';
import type { RunningSystem, SystemOptions } from '../systems/running-system';
import { startSystem } from '../systems/start-system';
import { type BenchStores, query } from '../world/stores';
import { type CpuByProcess, CpuMeter } from './cpu-meter';
import type { Figures } from './metrics';

/** What one measurement of one system gave. */
export interface Outcome {
  /** Where on a curve it was taken: `{ label: '100 recipients', x: 100 }`. */
  point?: { label: string; x: number };
  figures: Figures;
  /** CPU of each process, ms for each message (or connect) of the measurement. */
  cpu: CpuByProcess;
  account: Account | null;
  /** Receipts that were recorded; null where the system records none, or none were due. */
  receipts: number | null;
  /** What a reader of the numbers has to know. */
  remarks?: string[];
}

/** Sizes and times that options change. */
export interface Sizes {
  /** How long one measurement takes. */
  seconds: number;
  /** Shrinks how many users, messages and connections the curves and the storm go up to. */
  scale: number;
  /** Where CPU profiles go. */
  profileDir?: string | undefined;
}

/** A system that is up, with its load generator: what a scenario works with. */
export interface Trial extends Sizes {
  readonly system: RunningSystem;
  readonly driver: RemoteDriver;
  readonly meter: CpuMeter;
  say(sentence: string): void;
}

/** Starts a system and a driver for it, does the work, and ends both, whatever comes of it. */
export async function withTrial<T>(
  name: DialectName,
  stores: BenchStores,
  options: SystemOptions,
  rest: Sizes & Pick<Trial, 'say'>,
  work: (trial: Trial) => Promise<T>,
): Promise<T> {
  const system = await startSystem(name, stores, { ...options, profileDir: rest.profileDir });
  try {
    // What the system before it left to be written is not this one's.
    await query(stores.databaseUrl, 'CHECKPOINT');
    const driver = await RemoteDriver.start(system.target);
    try {
      const own = system.processes.map(({ role, pid }) => ({ name: role, pid }));
      const meter = new CpuMeter([...own, ...stores.processes]);
      return await work({ ...rest, system, driver, meter });
    } finally {
      await driver.stop();
    }
  } finally {
    await system.stop();
  }
}
