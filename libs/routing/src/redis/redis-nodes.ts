import type { Redis } from 'ioredis';
import type { RedisNode } from './redis-node';

/** The servers behind a REDIS_URL: one, or those of a Cluster. */
export interface RedisNodes {
  /** True where channels have slots like keys. */
  readonly isCluster: boolean;
  /** The node that serves the key; null while that is not known. */
  serving(key: string): RedisNode | null;
  /** The node at this `host:port`; null unless it is known. */
  at(address: string): RedisNode | null;
  /** All that serve keys; none while that is not known. */
  all(): RedisNode[];
  /** Something shows that what is known of the nodes may be of the past. */
  refresh(): void;
  /** Called whenever a node is (again) ready for commands, or begins to serve: what it holds may be of the past, or nothing. */
  onReady(listener: () => void): void;
  /** A connection that listens, to the node where the channel is; wherever that goes, it follows at its next connect. */
  openSubscriber(channel: string): Redis;
  close(): void;
}
