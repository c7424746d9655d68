export type { EntriesItem, ListedEntry, RoutableMessage } from './envelope';
export * from './gateway-channel';
export * from './gateway-directory';
export { type GatewayNotice, MAX_INSPECTED } from './gateway-notice';
export { Keys } from './keys';
export * from './lease';
export { LiveGateways } from './live-gateways';
export * from './notifier';
export * from './offline-list';
export * from './presence';
export { RedisConnection } from './redis-connection';
export { type RedisFacts, type RedisNodeFacts, readRedisFacts } from './redis-facts';
export type { RedisLog } from './redis-options';
export { RedisOutageError } from './redis-outage-error';
export * from './router';
export * from './send-limiter';
export {
  LEASE_RENEW_MS,
  LIVENESS_MAX_AGE_MS,
  PRESENCE_ROUND_MS,
  REDIS_WAITS,
  type RedisWaits,
} from './times';
