import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StopList, startPostgres, startRedis } from '@posthorn/stack';
import { Client } from 'pg';

/** The Postgres and the Redis that all systems use, one after another. */
export interface BenchStores {
  /** A database whose owner may create others. */
  databaseUrl: string;
  redisUrl: string;
  /** The store processes whose CPU is counted; none if the stores are not our own. */
  processes: { name: string; pid: number }[];
  stop(): Promise<void>;
}

/** As in production, a commit is on disk before it is answered. All other settings are defaults. */
const POSTGRES_SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '300',
};

/** Starts the stores in a folder that is removed at the end. */
export async function openBenchStores(): Promise<BenchStores> {
  const stops = new StopList();
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));
  // Postgres may run as another user, who needs access to the folder.
  chmodSync(dir, 0o755);
  stops.add(async () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  try {
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), settings: POSTGRES_SETTINGS });
    stops.add(() => postgres.stop('immediate'));
    const redis = await startRedis({ dir: join(dir, 'redis') });
    stops.add(() => redis.stop());
    return {
      databaseUrl: postgres.url,
      redisUrl: redis.url,
      processes: [
        { name: 'Postgres', pid: postgres.pid },
        { name: 'Redis', pid: redis.pid },
      ],
      stop: () => stops.stopAll(),
    };
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
}

/** Runs one statement on a new connection. */
export async function query<Row extends object>(
  databaseUrl: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Row[];
  } finally {
    await client.end();
  }
}
