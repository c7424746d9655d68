import { mkdirSync } from 'node:fs';
import { findRedisServer } from './find-redis-server';
import { freePort } from './free-port';
import { startProcess } from './managed-process';
import { redisCacheFolder } from './paths';
import type { RedisBinary } from './redis-binary';

/** What kind of Redis to start. */
export interface RedisOptions {
  /** Its folder; an append-only file that is there already is read. */
  dir: string;
  /** Any free port unless given. */
  port?: number;
  /** More arguments: `['--appendonly', 'yes']`. */
  args?: readonly string[];
  /** Found with `findRedisServer` unless given. */
  binary?: RedisBinary;
}

/** A running Redis on 127.0.0.1. */
export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  logs(): string[];
  stop(): Promise<void>;
}

const READY_BOUND_MS = 30_000;
const STOP_BOUND_MS = 10_000;
const PORT_TRIES = 5;

/** Starts a Redis of our own that never evicts a key. Throws with the server's own words when it does not start. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const { dir, port: wanted, args = [] } = options;
  const binary = options.binary ?? (await findRedisServer(redisCacheFolder));
  mkdirSync(dir, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    const server = await startProcess({
      name: `Redis (${binary.command})`,
      command: binary.command,
      args: [...settings(port, dir), ...args],
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', ...binary.env },
      cwd: dir,
      orphanSignal: 'SIGTERM',
    });
    try {
      await server.waitForLine((line) => line.includes('eady to accept connections'), READY_BOUND_MS);
    } catch (error) {
      await server.stop('SIGKILL', STOP_BOUND_MS);
      const isPortTaken = server.logs().some((line) => line.includes('Address already in use'));
      if (!isPortTaken || wanted !== undefined || attempt === PORT_TRIES) throw error;
      continue;
    }
    return {
      url: `redis://127.0.0.1:${port}`,
      port,
      pid: server.pid,
      logs: () => server.logs(),
      stop: async () => void (await server.stop('SIGTERM', STOP_BOUND_MS)),
    };
  }
}

function settings(port: number, dir: string): string[] {
  return Object.entries({
    port: String(port),
    bind: '127.0.0.1',
    dir,
    daemonize: 'no',
    save: '',
    'maxmemory-policy': 'noeviction',
  }).flatMap(([name, value]) => [`--${name}`, value]);
}
