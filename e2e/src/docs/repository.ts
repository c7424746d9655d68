import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the repository. */
export const root = join(__dirname, '..', '..', '..');

const IGNORED = new Set(['node_modules', 'dist', '.git', '.posthorn', 'coverage']);

/** The absolute path of a file of the repository. */
export function repoFile(path: string): string {
  return join(root, path);
}

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(repoFile(path), 'utf8');
}

/** Every file below a folder, except installed, built or ignored ones. Paths start at the root. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !IGNORED.has(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/** The sources of libs and services, without tests and test helpers. */
export function sources(): string[] {
  return [...filesBelow('libs'), ...filesBelow('services')].filter(
    (path) => /\/src\/.*\.ts$/.test(path) && !/\.(?:test|fixture)\.ts$/.test(path),
  );
}

/** Every Markdown file. */
export function pages(): string[] {
  return filesBelow('').filter((path) => path.endsWith('.md'));
}
