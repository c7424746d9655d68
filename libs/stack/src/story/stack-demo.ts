import { join } from 'node:path';
import { type DemoServer, startDemoServer } from '@posthorn/demo-server';
import { repoRoot } from '../paths';
import { openRedisClient } from '../redis/redis-client';
import type { Stack } from '../stack';

/**
 * The demo page of a stack. It can kill gateways, and wipe Redis if the Redis is our own. A foreign Redis may hold
 * other data.
 */
export async function startStackDemo(options: {
  port: number;
  stack: Stack;
  /** A token for alice or bob. */
  token: (user: string) => Promise<string>;
}): Promise<DemoServer> {
  const { port, stack, token } = options;
  const { redis } = stack;
  return await startDemoServer({
    folder: join(repoRoot, 'demo', 'dist'),
    port,
    token,
    api: stack.sendApis[0]?.url ?? '',
    gateways: stack.wsGateways.map(({ wsUrl }) => wsUrl ?? ''),
    killGateway: async (index) => {
      const gateway = stack.wsGateways[index];
      if (gateway !== undefined) await stack.killAndRestart(gateway);
    },
    ...(redis === undefined ? {} : { wipeRedis: () => wipe(redis.url) }),
  });
}

async function wipe(redisUrl: string): Promise<void> {
  const client = openRedisClient(redisUrl);
  try {
    await client.flushall();
  } finally {
    client.disconnect();
  }
}
