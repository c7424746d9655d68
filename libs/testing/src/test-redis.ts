import { randomBytes } from 'node:crypto';
import { openRedisClient, type RedisClient } from '@posthorn/stack';
import { fromGlobalSetup } from './test-database';

/** A test file's own key prefix on the test server. */
export interface TestRedis {
  url: string;
  prefix: string;
  /** A client to inspect what the code under test wrote. */
  client: RedisClient;
  close(): Promise<void>;
}

/** A new prefix, and a client to inspect it. */
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
