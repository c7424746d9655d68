import type { DialectName } from '../driver/dialect';
import type { Account } from '../driver/ledger';
import { RemoteDriver } from '../driver/remote-driver';
import type { RunningSystem, SystemOptions } from '../systems/running-system';
import { startSystem } from '../systems/start-system';
import { type BenchStores, query } from '../world/stores';
import { type CpuByProcess, CpuMeter } from './cpu-meter';
import type { Figures } from './metrics';

/** The result of one measurement of one system. */
export interface Outcome {
  /** The point on a curve: `{ label: '100 recipients', x: 100 }`. */
  point?: { label: string; x: number };
  figures: Figures;
  /** CPU of each process, in ms per message (or connect) of the measurement. */
  cpu: CpuByProcess;
  account: Account | null;
  /** Recorded receipts; null if the system records none, or none were due. */
  receipts: number | null;
  /** Remarks for readers of the numbers. */
  remarks?: string[];
}

/** Sizes and times that options change. */
export interface Sizes {
  /** How long one measurement takes. */
  seconds: number;
  /** Scales down the users, messages and connections of the curves and the storm. */
  scale: number;
  /** Where to write CPU profiles. */
  profileDir?: string | undefined;
}

/** A running system with its load generator, for a scenario to use. */
export interface Trial extends Sizes {
  readonly system: RunningSystem;
  readonly driver: RemoteDriver;
  readonly meter: CpuMeter;
  say(sentence: string): void;
}

/** Starts a system and a driver for it, does the work, and stops both in any case. */
export async function withTrial<T>(
  name: DialectName,
  stores: BenchStores,
  options: SystemOptions,
  rest: Sizes & Pick<Trial, 'say'>,
  work: (trial: Trial) => Promise<T>,
): Promise<T> {
  const system = await startSystem(name, stores, { ...options, profileDir: rest.profileDir });
  try {
    // Flush what the previous system left for Postgres to write, so that it does not count here.
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
