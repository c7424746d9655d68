import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../process/command-of';
import { until } from '../process/until';
import { type RedisSentinel, startRedisSentinel } from './redis-sentinel';

const dir = mkdtempSync(join(tmpdir(), 'posthorn-sentinel-'));
let redis: RedisSentinel | undefined;

afterAll(async () => {
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('fails over when told and when the master dies, and leaves nothing behind', async () => {
  // Long enough that a busy machine does not make a second failover of its own.
  redis = await startRedisSentinel({ dir, downAfterMs: 3_000 });
  expect(redis.url).toMatch(/^redis\+sentinel:\/\/127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\/main$/);
  const [first, second] = [await redis.master(), await redis.replica()];

  await first.kill();
  const here = redis;
  await until('the replica takes over', async () => (await here.master()) === second, 60_000);
  await first.restart();
  await redis.untilWatched();
  expect(await redis.replica()).toBe(first);

  const pids = [...redis.servers, ...redis.sentinels].map(({ pid }) => pid);
  expect(pids.filter(isAlive)).toHaveLength(5);
  second.signal('SIGSTOP');
  await redis.stop();
  expect(pids.filter(isAlive)).toEqual([]);
});
