export { mintToken, type TokenOptions } from '@posthorn/runtime/mint-token';
export { type Balancer, startBalancer, type Upstream } from './balancer';
export { type ChromiumBinary, findChromium } from './find-chromium';
export { findHaproxy } from './find-haproxy';
export { findKubectl } from './find-kubectl';
export { findPrometheus, type PrometheusBinaries } from './find-prometheus';
export { findRedisServer } from './find-redis-server';
export { freePort } from './free-port';
export { type Exit, type ManagedProcess, type ProcessOptions, startProcess } from './managed-process';
export { migrateDatabase } from './migrate-database';
export { NODE_FLAGS } from './node-flags';
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server';
export { type PrometheusServer, startPrometheus } from './prometheus-server';
export type { RedisBinary } from './redis-binary';
export { openRedisClient, type RedisClient } from './redis-client';
export { type RedisCluster, type RedisClusterOptions, startRedisCluster } from './redis-cluster';
export { type RedisSentinel, type RedisSentinelOptions, startRedisSentinel } from './redis-sentinel';
export { type RedisOptions, type RedisServer, startRedis } from './redis-server';
export {
  inherited,
  mainOf,
  type ServiceName,
  type ServiceOptions,
  type ServiceProcess,
  startService,
} from './service-process';
export { type Stack, type StackOptions, startStack } from './stack';
export { startStackDemo } from './stack-demo';
export type { Step } from './step';
export { StopList } from './stop-list';
export {
  createTemplateDatabase,
  startTestStores,
  type TemplateDatabase,
  type TestStores,
} from './test-stores';
export { type TestTool, type TestToolName, testTools } from './test-tools';
