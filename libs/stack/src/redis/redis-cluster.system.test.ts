import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { isAlive } from '../process/command-of';
import { until } from '../process/until';
import { type RedisCluster, startRedisCluster } from './redis-cluster';

const dir = mkdtempSync(join(tmpdir(), 'posthorn-cluster-'));
let cluster: RedisCluster | undefined;

afterAll(async () => {
  await cluster?.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('serves all slots, moves one, replaces a master that died, and leaves nothing behind', async () => {
  cluster = await startRedisCluster({ dir, replicas: 1, nodeTimeoutMs: 1_000 });
  expect(cluster.servers).toHaveLength(6);
  expect(cluster.url).toMatch(/^redis\+cluster:\/\/127\.0\.0\.1:\d+,127/);

  const [before, other] = [await cluster.nodeOf('{bob}:x'), await cluster.otherNode('{bob}:x')];
  await before.ask((redis) => redis.set('{bob}:x', 'kept'));
  await cluster.moveSlot('{bob}:x', other);
  expect(await cluster.nodeOf('{bob}:x')).toBe(other);
  expect(await other.ask((redis) => redis.get('{bob}:x'))).toBe('kept');

  const listener = new Redis(other.port);
  await listener.ssubscribe('{bob}:x');
  expect(await cluster.subscribedNodes('{bob}:x')).toEqual([other]);
  listener.disconnect();

  const promoted = await cluster.failOver(other);
  expect(await cluster.nodeOf('{bob}:x')).toBe(promoted);

  await promoted.kill();
  expect(promoted.isRunning).toBe(false);
  const here = cluster;
  await until('the replica takes over', async () => (await here.nodeOf('{bob}:x')) === other, 60_000);
  await promoted.restart();
  await cluster.untilSettled();

  const pids = cluster.servers.map(({ pid }) => pid);
  cluster.servers[0]?.signal('SIGSTOP');
  await cluster.stop();
  expect(pids.filter(isAlive)).toEqual([]);
});
