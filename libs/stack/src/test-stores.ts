import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardFolder } from './guard';
import { startPostgres } from './postgres-server';
import { startRedis } from './redis-server';
import { StopList } from './stop-list';

/** The stores that all tests of a run share. */
export interface TestStores {
  databaseUrl: string;
  redisUrl: string;
  stop(): Promise<void>;
}

/** Nothing here outlives the run, so nothing has to be safe on disk. */
const POSTGRES_SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '300' };

/** Starts one Postgres and one Redis in a temporary folder, unless the environment names some. The folder goes with the process. */
export async function startTestStores(
  env: Readonly<Record<string, string | undefined>>,
): Promise<TestStores> {
  const stops = new StopList();
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-test-'));
  // Postgres may have to run as another user, who must get to its folder.
  chmodSync(dir, 0o755);
  const release = guardFolder(dir);
  stops.add(async () => {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    release();
  });
  const started = async <T extends { url: string }>(
    starting: Promise<T>,
    end: (store: T) => Promise<void>,
  ) => {
    const store = await starting;
    stops.add(() => end(store));
    return store.url;
  };
  const { DATABASE_URL, REDIS_URL } = env;
  const settled = await Promise.allSettled([
    DATABASE_URL ||
      started(startPostgres({ dir: join(dir, 'postgres'), settings: POSTGRES_SETTINGS }), (postgres) =>
        postgres.stop('immediate'),
      ),
    REDIS_URL || started(startRedis({ dir: join(dir, 'redis') }), (redis) => redis.stop()),
  ]);
  const [databaseUrl, redisUrl] = settled.map((result) =>
    result.status === 'fulfilled' ? result.value : undefined,
  );
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined || databaseUrl === undefined || redisUrl === undefined) {
    await stops.stopAll();
    throw failed?.reason;
  }
  return { databaseUrl, redisUrl, stop: () => stops.stopAll() };
}
