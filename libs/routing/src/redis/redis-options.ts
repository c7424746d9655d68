import type { RedisAddress } from '@posthorn/protocol';
import type { RedisOptions } from 'ioredis';
import { REDIS_WAITS } from '../times';
import { scripts } from './redis-commands';

/** Where Redis connections log. */
export interface RedisLog {
  info(message: string, meta?: object): void;
  warn(message: string, meta?: object): void;
}

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A hung server does not close its end. The connection counts as closed this long after we have closed ours. */
export const DISCONNECT_TIMEOUT_MS = 500;
/** Reconnecting to a lost sentinel is slow: the client logs each attempt, and the other sentinels report failovers. */
const SENTINEL_RECONNECT_MS = 30_000;

/** The delay before a reconnect, in milliseconds: at most a second, with jitter. Connections never give up. */
export function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RECONNECT_DELAY_MS) * (0.5 + Math.random() / 2);
}

/** For every connection to a data server. Without a connection commands fail at once, and no command is sent twice. */
function serverOptions({ username, password, db, tls }: RedisAddress, commandMs: number) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    db,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: 10_000,
    // Limits the handshake too. Our steps have a shorter limit of their own.
    commandTimeout: 4 * commandMs,
    // Sending commands in flight again would publish and append twice.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
    // The server has become a replica. A new connect asks the sentinels (or resolves the host) for the master.
    reconnectOnError: (error: Error) => (error.message.includes('READONLY') ? 1 : false),
  } satisfies RedisOptions;
}

/** For a connection that runs our commands. */
export function commandOptions(address: RedisAddress, commandMs = REDIS_WAITS.commandMs) {
  return {
    ...serverOptions(address, commandMs),
    scripts,
    // The client reconnects if the server answers nothing for this long while a command waits.
    socketTimeout: 8 * commandMs,
  } satisfies RedisOptions;
}

/** For a connection with a subscription. */
export function subscriberOptions(address: RedisAddress, commandMs: number) {
  // GatewayChannel subscribes itself after each connect, so that it knows when it is subscribed.
  return { ...serverOptions(address, commandMs), autoResubscribe: false } satisfies RedisOptions;
}

/** How to reach the server, or the master that the sentinels name. */
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
    // A sentinel that requires no password accepts any.
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  } satisfies RedisOptions;
}
