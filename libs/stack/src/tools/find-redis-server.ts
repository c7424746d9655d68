import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unpackedDebianRedis } from './debian-redis';
import { MIN_REDIS_MAJOR, type RedisBinary, tryRedis } from './redis-binary';

const NAMES = ['redis-server', 'valkey-server'];
/** Includes Homebrew's folders, which a shell started by an editor may lack. */
const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
  '/opt/homebrew/bin',
  '/usr/local/bin',
  '/usr/bin',
];

/**
 * Finds a server: on PATH, or unpacked in `cacheDir` by an earlier call. Otherwise, on Debian and Ubuntu, it
 * downloads and unpacks the distribution's package there, without changing the system. `folders` and `mayFetch` limit
 * the search. Throws with all the ways to get one.
 */
export async function findRedisServer(
  cacheDir: string,
  onProgress: (text: string) => void = () => {},
  { folders = FOLDERS, mayFetch = true }: { folders?: readonly string[]; mayFetch?: boolean } = {},
): Promise<RedisBinary> {
  for (const command of folders.flatMap((folder) => NAMES.map((name) => join(folder, name)))) {
    const found = existsSync(command) ? tryRedis(command, {}) : undefined;
    if (found !== undefined) return found;
  }
  const { binary, reason } = mayFetch
    ? await unpackedDebianRedis(cacheDir, onProgress)
    : { reason: 'not allowed to' };
  if (binary !== undefined) return binary;
  throw new Error(
    [
      `No Redis server (${MIN_REDIS_MAJOR} or newer) was found, and none could be fetched: ${reason}.`,
      'Get one in any of these ways, then start again:',
      '  Debian, Ubuntu:  sudo apt-get install redis-server',
      '  macOS:           brew install redis',
      '  Docker:          docker run -d -p 6379:6379 redis   and set REDIS_URL=redis://127.0.0.1:6379',
      '  any other:       set REDIS_URL=redis://HOST:PORT',
    ].join('\n'),
  );
}
