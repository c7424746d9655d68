import type { Redis } from 'ioredis';
import type { RedisNode } from './redis-node';

/** The servers behind REDIS_URL: a single one, or those of a Cluster. */
export interface RedisNodes {
  /** True when channels have slots, as keys do. */
  readonly isCluster: boolean;
  /** The node that serves the key; null while it is unknown. */
  serving(key: string): RedisNode | null;
  /** The node at this `host:port`; null if it is unknown. */
  at(address: string): RedisNode | null;
  /** All nodes that serve keys; empty while they are unknown. */
  all(): RedisNode[];
  /** Reads again which node serves what, because something shows that it may have changed. */
  refresh(): void;
  /** Calls `listener` each time a node becomes ready or begins to serve slots: its data may be old or missing. */
  onReady(listener: () => void): void;
  /** Opens a connection for a subscription, to the node of the channel. It finds that node again at each connect. */
  openSubscriber(channel: string): Redis;
  close(): void;
}
