import type { RedisAddress } from '@posthorn/protocol';
import type { RedisOptions } from 'ioredis';
import { REDIS_WAITS } from '../times';
import { scripts } from './redis-commands';

/** What the Redis connections say of themselves. */
export interface RedisLog {
  info(message: string, meta?: object): void;
  warn(message: string, meta?: object): void;
}

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A server that hangs does not close its end: this long after we closed ours the connection counts as closed. */
export const DISCONNECT_TIMEOUT_MS = 500;
/** The others tell of a failover meanwhile, and the client writes a line for each attempt. */
const SENTINEL_RECONNECT_MS = 30_000;

/** Reconnects for ever, quickly and with jitter. */
export function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RECONNECT_DELAY_MS) * (0.5 + Math.random() / 2);
}

/** For every connection to a server that holds data: commands fail at once without it, and none is ever sent twice. */
function serverOptions({ username, password, db, tls }: RedisAddress, commandMs: number) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    db,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: 10_000,
    // Bounds the handshake too; steps have a shorter wait of their own.
    commandTimeout: 4 * commandMs,
    // Resending what was in flight would publish and append twice.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
    // It became a replica: asked anew, the sentinels (or the name of the host) lead to the master.
    reconnectOnError: (error: Error) => (error.message.includes('READONLY') ? 1 : false),
  } satisfies RedisOptions;
}

/** For a connection that runs our commands. */
export function commandOptions(address: RedisAddress, commandMs = REDIS_WAITS.commandMs) {
  return {
    ...serverOptions(address, commandMs),
    scripts,
    // One that answers nothing for this long while it is asked is connected anew.
    socketTimeout: 8 * commandMs,
  } satisfies RedisOptions;
}

/** For a connection that listens. */
export function subscriberOptions(address: RedisAddress, commandMs: number) {
  // The channel subscribes by itself at every return, to know when it has.
  return { ...serverOptions(address, commandMs), autoResubscribe: false } satisfies RedisOptions;
}

/** How to get to the server, or to the master that the sentinels name. */
export function targetOptions(
  { kind, hosts, master, password, tls }: RedisAddress,
  commandMs = REDIS_WAITS.commandMs,
) {
  if (kind !== 'sentinel') return { ...hosts[0] } satisfies RedisOptions;
  return {
    sentinels: [...hosts],
    name: master,
    failoverDetector: true,
    sentinelCommandTimeout: 4 * commandMs,
    sentinelRetryStrategy: reconnectDelay,
    sentinelReconnectStrategy: () => SENTINEL_RECONNECT_MS,
    // One that asks for no password takes any.
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  } satisfies RedisOptions;
}
