import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisKind } from './chaos-world';
import { PostgresServerControl } from './postgres-server-control';
import { type RunningRedis, startRunningRedis } from './running-redis';

/** The stores that several runs use one after the other, each with a database and a prefix of its own. */
export interface Stores {
  readonly kind: RedisKind;
  readonly postgres: PostgresServerControl;
  readonly redis: RunningRedis;
  stop(): Promise<void>;
}

/** Starts them in a folder that goes with them. */
export async function openStores(kind: RedisKind): Promise<Stores> {
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-chaos-'));
  // Postgres may have to run as another user, who must get to its folder.
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
