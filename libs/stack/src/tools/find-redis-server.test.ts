import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisCacheFolder } from '../paths';
import { findRedisServer } from './find-redis-server';

it('finds a server that says its version', async () => {
  const { version } = await findRedisServer(redisCacheFolder);
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

it('finds again, at once, what it fetched before', async () => {
  const first = await findRedisServer(redisCacheFolder);
  const words: string[] = [];
  expect(await findRedisServer(redisCacheFolder, (text) => words.push(text))).toEqual(first);
  expect(words).toEqual([]);
});

it('names every way to get a server when there is none', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'posthorn-no-redis-'));
  const search = findRedisServer(join(empty, 'cache'), undefined, { folders: [], mayFetch: false });
  await expect(search).rejects.toThrow(/apt-get install.*brew install.*docker run.*REDIS_URL/s);
  rmSync(empty, { recursive: true });
});
