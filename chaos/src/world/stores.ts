import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisKind } from './chaos-world';
import { PostgresServerControl } from './postgres-server-control';
import { type RunningRedis, startRunningRedis } from './running-redis';

/** The stores that several runs use one after another. Each run has its own database and prefix. */
export interface Stores {
  readonly kind: RedisKind;
  readonly postgres: PostgresServerControl;
  readonly redis: RunningRedis;
  stop(): Promise<void>;
}

/** Starts the stores in a folder that is removed at the end. */
export async function openStores(kind: RedisKind): Promise<Stores> {
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-chaos-'));
  // Postgres may run as another user, who needs access to the folder.
  chmodSync(dir, 0o755);
  const [postgres, redis] = await Promise.all([
    PostgresServerControl.open(join(dir, 'postgres')),
    startRunningRedis(kind, join(dir, 'redis')),
  ]);
  return {
    kind,
    postgres,
    redis,
    stop: async () => {
      await Promise.all([redis.stop(), postgres.stop('fast')]);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
