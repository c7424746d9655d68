import { randomBytes } from 'node:crypto';
import { openRedisClient, type RedisClient } from '@posthorn/stack';
import { fromGlobalSetup } from './test-database';

/** A key prefix of a test file's own on the test server. */
export interface TestRedis {
  url: string;
  prefix: string;
  /** For looking at what the code under test left there. */
  client: RedisClient;
  close(): Promise<void>;
}

/** A new prefix, and a client to look with. */
export function openTestRedis(url = fromGlobalSetup('POSTHORN_TEST_REDIS_URL')): TestRedis {
  const client = openRedisClient(url);
  return {
    url,
    prefix: `test-${randomBytes(6).toString('hex')}:`,
    client,
    close: async () => {
      await client.quit();
    },
  };
}
