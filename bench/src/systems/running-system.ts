import type { DialectName } from '../driver/dialect';
import type { Target } from '../driver/driver';

/** A system that is started and takes load. */
export interface RunningSystem {
  readonly name: DialectName;
  readonly target: Target;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Its own processes; those of the stores come on top. */
  readonly processes: readonly SystemProcess[];
  /** How many deliveries are recorded as acknowledged; null where the system records none. */
  countReceipts(): Promise<number | null>;
  stop(): Promise<void>;
}

/** One process of a system. */
export interface SystemProcess {
  readonly role: 'api' | 'gateway';
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Collects its garbage and tells what is left, where it was started with `tellsMemory`. */
  memory(): Promise<ProcessMemory>;
}

/** What Node says of its own memory, bytes. */
export interface ProcessMemory {
  rss: number;
  heapUsed: number;
  external: number;
}

/** How a system is to be started. */
export interface SystemOptions {
  gateways?: number;
  /** Worker processes of each service; Posthorn only. */
  workers?: number;
  /** The processes can be asked for their memory. */
  tellsMemory?: boolean;
  /** Where the processes leave a CPU profile at their end; Posthorn only. */
  profileDir?: string | undefined;
  /** More settings, of Posthorn only. */
  env?: Readonly<Record<string, string>>;
}
