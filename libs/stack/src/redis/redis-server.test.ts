import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import { isAlive } from '../process/command-of';
import { type RedisServer, startRedis } from './redis-server';

const dir = mkdtempSync(join(tmpdir(), 'posthorn-redis-'));
let server: RedisServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server?.url ?? '');
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

it('starts on loopback, without eviction and without persistence', async () => {
  server = await startRedis({ dir });
  const config = await ask((redis) => redis.config('GET', 'bind', 'maxmemory-policy', 'appendonly', 'save'));
  expect(JSON.stringify(config)).toMatch(/127\.0\.0\.1.*/);
  expect(JSON.stringify(config)).toContain('noeviction');
  await ask((redis) => redis.set('gone', '1'));
  const { pid, port } = server;
  await server.stop();
  expect(isAlive(pid)).toBe(false);
  server = await startRedis({ dir, port });
  expect(await ask((redis) => redis.get('gone'))).toBeNull();
});

it('keeps its data with an append-only file', async () => {
  const args = ['--appendonly', 'yes'];
  server = await startRedis({ dir, args });
  await ask((redis) => redis.set('kept', '1'));
  await server.stop();
  server = await startRedis({ dir, args });
  expect(await ask((redis) => redis.get('kept'))).toBe('1');
});

it('tells why a server does not start, in its own words', async () => {
  await expect(startRedis({ dir, args: ['--no-such-setting', '1'] })).rejects.toThrow('no-such-setting');
});
