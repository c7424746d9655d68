export * from './eventually';
export * from './fault-proxy';
export * from './held-locks';
export * from './own-redis';
export * from './service-context';
export * from './test-client';
export * from './test-database';
export * from './test-redis';
