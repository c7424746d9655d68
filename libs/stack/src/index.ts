export { mintToken, type TokenOptions } from '@posthorn/runtime/mint-token';
export { migrateDatabase } from './postgres/migrate-database';
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres/postgres-server';
export { freePort } from './process/free-port';
export { type Exit, type ManagedProcess, type ProcessOptions, startProcess } from './process/managed-process';
export { NODE_FLAGS } from './process/node-flags';
export {
  inherited,
  mainOf,
  type ServiceName,
  type ServiceOptions,
  type ServiceProcess,
  startService,
} from './process/service-process';
export { StopList } from './process/stop-list';
export { openRedisClient, type RedisClient } from './redis/redis-client';
export { type RedisCluster, type RedisClusterOptions, startRedisCluster } from './redis/redis-cluster';
export { type RedisSentinel, type RedisSentinelOptions, startRedisSentinel } from './redis/redis-sentinel';
export { type RedisOptions, type RedisServer, startRedis } from './redis/redis-server';
export { type Stack, type StackOptions, startStack } from './stack';
export type { Step } from './step';
export { startStackDemo } from './story/stack-demo';
export {
  createTemplateDatabase,
  startTestStores,
  type TemplateDatabase,
  type TestStores,
} from './test-stores';
export { type Balancer, startBalancer, type Upstream } from './tools/balancer';
export { type ChromiumBinary, findChromium } from './tools/find-chromium';
export { findHaproxy } from './tools/find-haproxy';
export { findKubectl } from './tools/find-kubectl';
export { findPrometheus, type PrometheusBinaries } from './tools/find-prometheus';
export { findRedisServer } from './tools/find-redis-server';
export { type PrometheusServer, startPrometheus } from './tools/prometheus-server';
export type { RedisBinary } from './tools/redis-binary';
export { type TestTool, type TestToolName, testTools } from './tools/test-tools';
