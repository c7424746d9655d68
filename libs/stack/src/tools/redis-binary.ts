import { spawnSync } from 'node:child_process';

/** A Redis server (or Valkey, which is compatible) that runs on this machine. */
export interface RedisBinary {
  command: string;
  /** The environment that it needs besides PATH. */
  env: Record<string, string>;
  /** As it reports itself: `7.0.15`. */
  version: string;
}

/** The oldest supported version: RESP3 came with 6. */
export const MIN_REDIS_MAJOR = 6;

/** The server, if it runs on this machine and is new enough. */
export function tryRedis(command: string, env: Record<string, string>): RedisBinary | undefined {
  const { stdout, status } = spawnSync(command, ['--version'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
    timeout: 10_000,
  });
  const version = /\bv=(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
  if (status !== 0 || version === undefined || Number.parseInt(version, 10) < MIN_REDIS_MAJOR)
    return undefined;
  return { command, env, version };
}
