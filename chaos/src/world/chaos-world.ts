import type { RedisKind } from '@posthorn/protocol';
import type { ServiceName } from '@posthorn/stack';
import type { EdgeProxy } from './edge-proxy';

export type { RedisKind };

/** The edges between processes, each with a proxy on it. Those to Redis exist with a single Redis only. */
export type Edge =
  | 'client-api'
  | 'client-gateway'
  | 'api-postgres'
  | 'gateway-postgres'
  | 'api-redis'
  | 'gateway-redis';

/** Everything that faults are done to. */
export interface ChaosWorld {
  readonly kind: RedisKind;
  /** Two or more of each; they keep their public address over restarts. */
  readonly apis: readonly ServiceSlot[];
  readonly gateways: readonly ServiceSlot[];
  readonly postgres: PostgresControl;
  readonly redis: RedisControl;
  readonly clients: ClientControl;
  /** The proxies on an edge: one for each process of that role. Empty where there is none. */
  edges(edge: Edge): readonly EdgeProxy[];
}

/** How to start a service in another way than usual. */
export interface StartVariant {
  /** Added to its settings. */
  env?: Readonly<Record<string, string>>;
  /** Changes of its code (see mutate.cjs): a fault point, or a bug on purpose. */
  mutations?: readonly Mutation[];
  /** How far its clock is off, ms. */
  clockSkewMs?: number;
}

/** One piece of built code replaced by another when it is loaded. */
export interface Mutation {
  /** Relative to the repository: `libs/inbox/dist/commit/accept-messages.js`. */
  file: string;
  /** Must be there exactly once. */
  find: string;
  replace: string;
}

/** A place for one service process. */
export interface ServiceSlot {
  readonly name: ServiceName;
  readonly index: number;
  /** `ws-gateway 0` */
  readonly label: string;
  /** Of the process that is there now; null between two. */
  readonly pid: number | null;
  /** Sends a signal. An end by it is expected. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process that is there now has ended. */
  exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Starts a process where none is; resolves when it is ready, or listens if `isReadyExpected` is false. */
  start(variant?: StartVariant, isReadyExpected?: boolean): Promise<void>;
  /** SIGTERM, and its exit. */
  stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** A value of its /metrics, labels summed; null when it does not answer. */
  metric(name: string): Promise<number | null>;
}

/** Postgres, to be broken. */
export interface PostgresControl {
  /** The pids of the postmaster and all its processes now. */
  pids(): number[];
  /** Ends it: `fast` closes cleanly, `immediate` and `kill` are crashes. */
  stop(mode: 'fast' | 'immediate' | 'kill'): Promise<void>;
  start(): Promise<void>;
  /** Asks it directly, past the proxies, as the superuser. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Takes a connection, likewise, until the function that comes back is called; rejects where none is left. */
  hold(): Promise<() => Promise<void>>;
}

/** Redis, to be broken. */
export interface RedisControl {
  readonly nodes: readonly RedisNode[];
  /** The node that serves this key (or this sharded channel) now; the master with a single Redis or Sentinel. */
  nodeOf(key: string): Promise<RedisNode>;
  /** The key prefix of the services. */
  readonly prefix: string;
  /** Sentinel only: a planned failover. */
  failover?(): Promise<void>;
  /** Cluster only: moves the slot of a key to another node, keys and all; returns its new node. */
  moveSlot?(key: string): Promise<RedisNode>;
}

/** One Redis server. */
export interface RedisNode {
  readonly label: string;
  readonly pid: number | null;
  /** Runs a command on this very node, past the proxies. */
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again at its address after it ended; without its data unless it is a replica or of a Cluster. */
  start(): Promise<void>;
}

/** The clients of the workload, to misbehave. */
export interface ClientControl {
  /** Names of users with devices. */
  readonly users: readonly string[];
  /** Cuts the connections of a share of the devices at once, without a word; returns how many. */
  cut(share: number): number;
  /** Some devices stop reading until the function that comes back is called. */
  deafen(share: number): { count: number; heal: () => void };
  /** Some devices connect and cut again and again until the function that comes back is called. */
  flap(share: number): { count: () => number; heal: () => void };
}
