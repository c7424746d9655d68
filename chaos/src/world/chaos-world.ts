import type { RedisKind } from '@posthorn/protocol';
import type { ServiceName } from '@posthorn/stack';
import type { EdgeProxy } from './edge-proxy';

export type { RedisKind };

/** The edges between processes, each with a proxy. Edges to Redis exist only with a single Redis. */
export type Edge =
  | 'client-api'
  | 'client-gateway'
  | 'api-postgres'
  | 'gateway-postgres'
  | 'api-redis'
  | 'gateway-redis';

/** Everything that faults can hit. */
export interface ChaosWorld {
  readonly kind: RedisKind;
  /** Two or more of each service. They keep their public address over restarts. */
  readonly apis: readonly ServiceSlot[];
  readonly gateways: readonly ServiceSlot[];
  readonly postgres: PostgresControl;
  readonly redis: RedisControl;
  readonly clients: ClientControl;
  /** The proxies on an edge, one for each process of that role. Empty if the edge has no proxy. */
  edges(edge: Edge): readonly EdgeProxy[];
}

/** How to start a service differently from the default. */
export interface StartVariant {
  /** Added to its settings. */
  env?: Readonly<Record<string, string>>;
  /** Changes of its code (see mutate.cjs): a fault point, or a bug on purpose. */
  mutations?: readonly Mutation[];
  /** How far its clock is off, in ms. */
  clockSkewMs?: number;
}

/** A piece of built code that is replaced when it is loaded. */
export interface Mutation {
  /** Relative to the repository: `libs/inbox/dist/commit/accept-messages.js`. */
  file: string;
  /** Must occur exactly once. */
  find: string;
  replace: string;
}

/** A place for one service process. */
export interface ServiceSlot {
  readonly name: ServiceName;
  readonly index: number;
  /** `ws-gateway 0` */
  readonly label: string;
  /** The id of the current process; null between two processes. */
  readonly pid: number | null;
  /** Sends a signal. If the process ends by it, that is expected. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the current process has ended. */
  exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /**
   * Starts a process in an empty place. Resolves when it is ready or, if `isReadyExpected` is false, when it listens.
   */
  start(variant?: StartVariant, isReadyExpected?: boolean): Promise<void>;
  /** Sends SIGTERM and returns how the process ended. */
  stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** A value of its /metrics, summed over labels; null if it does not answer. */
  metric(name: string): Promise<number | null>;
}

/** The Postgres that faults break. */
export interface PostgresControl {
  /** The current process ids of the postmaster and all its children. */
  pids(): number[];
  /** Stops it. `fast` shuts down cleanly; `immediate` and `kill` are crashes. */
  stop(mode: 'fast' | 'immediate' | 'kill'): Promise<void>;
  start(): Promise<void>;
  /** Asks it directly as the superuser, not through a proxy. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Takes a connection in the same way until the returned function is called. Rejects if none is left. */
  hold(): Promise<() => Promise<void>>;
}

/** The Redis that faults break. */
export interface RedisControl {
  readonly nodes: readonly RedisNode[];
  /** The node that now serves this key (or this sharded channel). With a single Redis or Sentinel it is the master. */
  nodeOf(key: string): Promise<RedisNode>;
  /** The key prefix of the services. */
  readonly prefix: string;
  /** Sentinel only: a planned failover. */
  failover?(): Promise<void>;
  /** Cluster only: moves the slot of a key, with its data, to another node. Returns the new node. */
  moveSlot?(key: string): Promise<RedisNode>;
}

/** One Redis server. */
export interface RedisNode {
  readonly label: string;
  readonly pid: number | null;
  /** Runs a command directly on this node, not through a proxy. */
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again at its address. Its data is gone, unless it is a replica or part of a Cluster. */
  start(): Promise<void>;
}

/** The clients of the workload, for faults that make them misbehave. */
export interface ClientControl {
  /** Names of users with devices. */
  readonly users: readonly string[];
  /** Cuts the connections of a share of the devices at once, without close frames. Returns how many. */
  cut(share: number): number;
  /** Makes some devices stop reading until the returned function is called. */
  deafen(share: number): { count: number; heal: () => void };
  /** Makes some devices connect and cut repeatedly until the returned function is called. */
  flap(share: number): { count: () => number; heal: () => void };
}
