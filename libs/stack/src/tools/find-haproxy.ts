import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { localFolder } from '../paths';
import { libraryPath, unpackedDebianPackage } from './debian-package';

/** An HAProxy that runs on this machine. */
export interface HaproxyBinary {
  command: string;
  /** The environment that it needs besides PATH. */
  env: Record<string, string>;
}

/** Distributions put it into `/usr/sbin`, which is rarely on a user's PATH. */
const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
];

/**
 * Finds an HAProxy: on PATH, or unpacked in `cacheDir` by an earlier call. Otherwise, on Debian and Ubuntu, it
 * downloads and unpacks the distribution's package there, without changing the system. Throws with the ways to get
 * one.
 */
export async function findHaproxy(cacheDir = join(localFolder, 'haproxy')): Promise<HaproxyBinary> {
  for (const command of FOLDERS.map((folder) => join(folder, 'haproxy'))) {
    const found = existsSync(command) ? tryHaproxy(command, {}) : undefined;
    if (found !== undefined) return found;
  }
  const wanted = { title: 'HAProxy', names: ['haproxy'], find: findIn };
  const { binary, reason } = await unpackedDebianPackage(wanted, cacheDir, () => undefined);
  if (binary !== undefined) return binary;
  throw new Error(
    `No HAProxy was found, and none could be fetched: ${reason}. Install it: apt-get install haproxy, or brew install haproxy.`,
  );
}

function findIn(root: string): HaproxyBinary | undefined {
  const command = join(root, 'usr', 'sbin', 'haproxy');
  if (!existsSync(command)) return undefined;
  return tryHaproxy(command, {}) ?? tryHaproxy(command, { LD_LIBRARY_PATH: libraryPath(root) });
}

function tryHaproxy(command: string, env: Record<string, string>): HaproxyBinary | undefined {
  const { status } = spawnSync(command, ['-v'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    timeout: 10_000,
  });
  return status === 0 ? { command, env } : undefined;
}
