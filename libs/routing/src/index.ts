export type { EntriesItem, ListedEntry, RoutableMessage } from './channel/envelope';
export * from './channel/gateway-channel';
export { type GatewayNotice, MAX_INSPECTED } from './channel/gateway-notice';
export * from './channel/notifier';
export { Keys } from './keys';
export * from './offline-list/offline-list';
export * from './presence/gateway-directory';
export * from './presence/lease';
export { LiveGateways } from './presence/live-gateways';
export * from './presence/presence';
export { RedisConnection } from './redis/redis-connection';
export { type RedisFacts, type RedisNodeFacts, readRedisFacts } from './redis/redis-facts';
export type { RedisLog } from './redis/redis-options';
export { RedisOutageError } from './redis/redis-outage-error';
export * from './route/router';
export * from './send-limit/send-limiter';
export {
  LEASE_RENEW_MS,
  LIVENESS_MAX_AGE_MS,
  PRESENCE_ROUND_MS,
  REDIS_WAITS,
  type RedisWaits,
} from './times';
