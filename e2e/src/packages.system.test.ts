import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesBelow, read, repoFile } from './docs/repository';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
}

const folders = ['libs', 'services', 'e2e', 'chaos', 'bench', 'conformance', 'demo']
  .flatMap((folder) => filesBelow(folder))
  .filter((path) => path.endsWith('/package.json'))
  .map(dirname)
  .filter((folder) => existsSync(repoFile(join(folder, 'tsconfig.json'))));

/** The packages of this repository that a folder's build comes after. */
function referencesOf(folder: string): string[] {
  const { references = [] } = JSON.parse(read(join(folder, 'tsconfig.json'))) as {
    references?: { path: string }[];
  };
  return references.map(({ path }) =>
    nameIn(normalize(join(folder, path)).replace(/\/tsconfig\.\w+\.json$/, '')),
  );
}

function nameIn(folder: string): string {
  return (JSON.parse(read(join(folder, 'package.json'))) as Manifest).name;
}

it('finds the packages', () => {
  expect(folders.length).toBeGreaterThan(12);
});

// An image builds one service alone: what it needs must be built for its sake, not because something else needs it, too.
it.each(folders)('%s is built after all that it depends on', (folder) => {
  const { dependencies = {} } = JSON.parse(read(join(folder, 'package.json'))) as Manifest;
  const needed = Object.keys(dependencies).filter((name) => name.startsWith('@posthorn/'));
  const references = referencesOf(folder);
  expect(needed.filter((name) => !references.includes(name))).toEqual([]);
});
