import { hasProc, readProcesses, sumOfTree } from '../world/process-tree';

/** CPU time of each process in ms, by name; null if it is unknown. */
export type CpuByProcess = Record<string, number> | null;

/** Processes whose CPU is added up under one name. */
export interface MeteredProcess {
  name: string;
  pid: number;
}

/** Adds up the CPU of a system's processes and of its stores, with all their children. */
export class CpuMeter {
  readonly #processes: readonly MeteredProcess[];

  constructor(processes: readonly MeteredProcess[]) {
    this.#processes = processes;
  }

  /** Starts a measurement. The returned function ends it. */
  start(): () => CpuByProcess {
    const before = this.#read();
    return () => {
      const after = this.#read();
      if (before === null || after === null) return null;
      return Object.fromEntries([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
    };
  }

  #read(): Map<string, number> | null {
    if (!hasProc) return null;
    const rows = readProcesses();
    const sums = new Map<string, number>();
    for (const { name, pid } of this.#processes) {
      sums.set(name, (sums.get(name) ?? 0) + sumOfTree(rows, pid).cpuMs);
    }
    return sums;
  }
}

/** The CPU of all processes, divided by `count`; undefined if it is unknown. */
export function cpuPer(cpu: CpuByProcess, count: number): number | undefined {
  if (cpu === null || count === 0) return undefined;
  return Object.values(cpu).reduce((sum, ms) => sum + ms, 0) / count;
}
