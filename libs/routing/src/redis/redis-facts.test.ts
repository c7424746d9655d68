import { type OwnRedis, startOwnRedis } from '@posthorn/testing';
import { readRedisFacts } from './redis-facts';

// What a Redis says that is well is in redis-kinds.test.ts, for every kind of it.
let own: OwnRedis;

beforeAll(async () => {
  own = await startOwnRedis('single');
});

afterAll(async () => {
  await own.stop();
});

it('§6.3: tells what a Redis says that takes no writes', async () => {
  await own.servers[0]?.ask((redis) => redis.config('SET', 'maxmemory', '500kb'));
  expect(await readRedisFacts(own.url, 'facts:')).toMatchObject({
    writeError: expect.stringMatching(/^OOM/),
  });
  await own.servers[0]?.ask((redis) => redis.replicaof('127.0.0.1', 1));
  const { nodes, writeError } = await readRedisFacts(own.url, 'facts:');
  expect(nodes[0]?.info['role']).toBe('slave');
  expect(writeError).toMatch(/^READONLY/);
});
