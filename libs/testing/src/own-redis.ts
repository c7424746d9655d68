import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisKind } from '@posthorn/protocol';
import {
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '@posthorn/stack';

/** Every kind of REDIS_URL, for `describe.each`. */
export const redisKinds: readonly RedisKind[] = ['single', 'sentinel', 'cluster'];

/** Long, so that a slow server of a busy machine does not count as dead. Users of this wait for no failover. */
const PATIENCE_MS = 20_000;

/** A Redis of the test's own, of one of the kinds, that the test can make fail. */
export interface OwnRedis {
  url: string;
  /** The servers that hold data. */
  servers: readonly RedisServer[];
  /** The server that currently serves the key, or the channel with that name. */
  serverOf(key: string): Promise<RedisServer>;
  /** FLUSHALL on all servers that accept writes. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one in a folder of its own, which is removed when it stops. */
export async function startOwnRedis(kind: RedisKind): Promise<OwnRedis> {
  const dir = mkdtempSync(join(tmpdir(), `posthorn-${kind}-`));
  const running = await startKind(kind, dir);
  return {
    ...running,
    wipe: async () => {
      await Promise.all(
        running.servers.map((server) =>
          server.ask(async (redis) => {
            if ((await redis.info('replication')).includes('role:master')) await redis.flushall();
          }),
        ),
      );
    },
    stop: async () => {
      await running.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function startKind(kind: RedisKind, dir: string): Promise<Omit<OwnRedis, 'wipe'>> {
  switch (kind) {
    case 'single': {
      const server = await startRedis({ dir });
      return {
        url: server.url,
        servers: [server],
        serverOf: () => Promise.resolve(server),
        stop: () => server.stop(),
      };
    }
    case 'sentinel': {
      const sentinel: RedisSentinel = await startRedisSentinel({ dir, downAfterMs: PATIENCE_MS });
      const { url, servers } = sentinel;
      return { url, servers, serverOf: () => sentinel.master(), stop: () => sentinel.stop() };
    }
    case 'cluster': {
      const cluster: RedisCluster = await startRedisCluster({ dir, nodeTimeoutMs: PATIENCE_MS });
      const { url, servers } = cluster;
      return { url, servers, serverOf: (key) => cluster.nodeOf(key), stop: () => cluster.stop() };
    }
  }
}
