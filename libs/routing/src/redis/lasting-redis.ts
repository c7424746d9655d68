import type { Redis } from 'ioredis';
import { type RedisLog, reconnectDelay } from './redis-options';

const closed = new WeakSet<Redis>();

/** Ends a connection for good. */
export function closeRedis(redis: Redis): void {
  closed.add(redis);
  redis.disconnect();
}

/**
 * Begins a connection anew that the client has given up. It does so, in spite of its strategy to reconnect, when it is told to
 * disconnect (also by its own news of a failover) while it asks the sentinels for the master.
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
      redis.connect().catch(() => undefined); // told by 'error', and tried again
    }, reconnectDelay(attempts));
  });
}

/** Which connection it is, in the log. */
export interface ConnectionName {
  connection: 'commands' | 'subscriber';
  /** Where it goes now, if that is known: `host:port`, or what the sentinels call the master. */
  node: () => string | undefined;
}

/** Without a listener for 'error' the process would end. One line for each change, not for each attempt. */
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
