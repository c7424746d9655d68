import type { Redis } from 'ioredis';
import { type RedisLog, reconnectDelay } from './redis-options';

const closed = new WeakSet<Redis>();

/** Ends a connection for good. */
export function closeRedis(redis: Redis): void {
  closed.add(redis);
  redis.disconnect();
}

/**
 * Connects again after the client has given up. In spite of its retry strategy, the client gives up when something
 * disconnects it (also its own failover detector) while it asks the sentinels for the master.
 */
export function keepConnected(redis: Redis): void {
  let attempts = 0;
  redis.on('ready', () => {
    attempts = 0;
  });
  redis.on('end', () => {
    if (closed.has(redis)) return;
    attempts++;
    setTimeout(() => {
      if (closed.has(redis) || redis.status !== 'end') return;
      redis.connect().catch(() => undefined); // logged by the 'error' listener, and tried again
    }, reconnectDelay(attempts));
  });
}

/** Names a connection in the log. */
export interface ConnectionName {
  connection: 'commands' | 'subscriber';
  /** Where it is connected to, if known: `host:port`, or the sentinels' name of the master. */
  node: () => string | undefined;
}

/**
 * Logs one line when a connection is lost and one when it is back. Without an 'error' listener the process would end.
 */
export function logLosses(redis: Redis, { connection, node }: ConnectionName, log: RedisLog): void {
  let isLost = false;
  redis.on('error', (error) => {
    if (!isLost) log.warn('Redis connection lost', { connection, node: node(), error });
    isLost = true;
  });
  redis.on('ready', () => {
    if (isLost) log.info('Redis connection back', { connection, node: node() });
    isLost = false;
  });
}
