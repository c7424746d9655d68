import { join } from 'node:path';

/** The folder of the repository. */
export const repoRoot = join(__dirname, '..', '..', '..');

/** Where the local stack keeps its data; git ignores it. */
export const localFolder = join(repoRoot, '.posthorn');

/** Where a Redis server is unpacked if the machine has none. */
export const redisCacheFolder = join(localFolder, 'redis-server');
