import { existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { libraryPath, unpackedDebianPackage } from './debian-package';
import { type RedisBinary, tryRedis } from './redis-binary';

const PACKAGES = ['redis-server', 'valkey-server'];

/** The distribution's Redis, unpacked below `cacheDir`. */
export function unpackedDebianRedis(
  cacheDir: string,
  onProgress: (text: string) => void,
): Promise<{ binary?: RedisBinary; reason: string }> {
  return unpackedDebianPackage({ title: 'Redis', names: PACKAGES, find: findIn }, cacheDir, onProgress);
}

function findIn(root: string): RedisBinary | undefined {
  for (const name of PACKAGES) {
    const command = join(root, 'usr', 'bin', name);
    if (lstatSync(command, { throwIfNoEntry: false }) === undefined) continue;
    mendLink(command);
    const found = tryRedis(command, {}) ?? tryRedis(command, { LD_LIBRARY_PATH: libraryPath(root) });
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The server may be a link to redis-check-rdb (one program that acts by its name). An absolute link would point
 * outside of the folder.
 */
function mendLink(command: string): void {
  if (existsSync(command)) return;
  rmSync(command);
  symlinkSync(command.includes('valkey') ? 'valkey-check-rdb' : 'redis-check-rdb', command);
}
