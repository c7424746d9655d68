import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrateDatabase } from './postgres/migrate-database';
import { startPostgres } from './postgres/postgres-server';
import { guardFolder } from './process/guard';
import { StopList } from './process/stop-list';
import { startRedis } from './redis/redis-server';

/** The stores that all tests of a run share. */
export interface TestStores {
  databaseUrl: string;
  redisUrl: string;
  stop(): Promise<void>;
}

/** The data does not outlive the run, so Postgres may run without safe writes. */
const POSTGRES_SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '300' };

/**
 * Starts one Postgres and one Redis in a temporary folder, unless the environment names some. The folder is removed
 * when the process ends.
 */
export async function startTestStores(
  env: Readonly<Record<string, string | undefined>>,
): Promise<TestStores> {
  const stops = new StopList();
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-test-'));
  // Postgres may run as another user, who needs access to the folder.
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

/** A migrated database that is copied for each test. A copy takes a tenth of the time of a migration. */
export interface TemplateDatabase {
  name: string;
  drop(): Promise<void>;
}

/**
 * Creates a template database on the server. It refuses connections, because Postgres copies only databases without
 * any.
 */
export async function createTemplateDatabase(serverUrl: string): Promise<TemplateDatabase> {
  const name = `posthorn_template_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await runOn(serverUrl, `CREATE DATABASE ${name}`);
  const drop = () => runOn(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  try {
    await migrateDatabase(url.href);
    await runOn(serverUrl, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  } catch (error) {
    await drop();
    throw error;
  }
  return { name, drop };
}

async function runOn(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
