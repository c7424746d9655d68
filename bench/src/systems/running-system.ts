import type { DialectName } from '../driver/dialect';
import type { Target } from '../driver/driver';

/** A running system that takes load. */
export interface RunningSystem {
  readonly name: DialectName;
  readonly target: Target;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Its own processes. Those of the stores are counted separately. */
  readonly processes: readonly SystemProcess[];
  /** How many deliveries are recorded as acknowledged; null if the system records none. */
  countReceipts(): Promise<number | null>;
  stop(): Promise<void>;
}

/** One process of a system. */
export interface SystemProcess {
  readonly role: 'api' | 'gateway';
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Collects its garbage and reports the remaining memory. Needs `tellsMemory`. */
  memory(): Promise<ProcessMemory>;
}

/** Node's own memory figures, in bytes. */
export interface ProcessMemory {
  rss: number;
  heapUsed: number;
  external: number;
}

/** How to start a system. */
export interface SystemOptions {
  gateways?: number;
  /** Worker processes of each service; Posthorn only. */
  workers?: number;
  /** Whether the processes can be asked for their memory. */
  tellsMemory?: boolean;
  /** Where the processes write a CPU profile when they end; Posthorn only. */
  profileDir?: string | undefined;
  /** More settings; Posthorn only. */
  env?: Readonly<Record<string, string>>;
}
