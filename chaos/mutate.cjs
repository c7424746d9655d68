/**
 * A preload (`node --require`) that changes built code when it is loaded: for bugs on purpose and for faults at a
 * certain place, so that the code itself has no hooks for them. CHAOS_MUTATIONS holds them as JSON:
 * [{"file": "libs/inbox/dist/statements/move-cursors.js", "find": "…", "replace": "…"}], paths relative to the repository.
 * All are applied at the start of the process, before anything else is loaded; one that does not fit ends it with 70.
 */
const { readFileSync, realpathSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const EX_SOFTWARE = 70;

/** By the file's real path, under which Node loads it. */
const changed = new Map();

function change({ file, find, replace }) {
  const filename = realpathSync(path.join(ROOT, file));
  const source = changed.get(filename) ?? readFileSync(filename, 'utf8');
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times, and not once: ${find}`);
  // As a function: a string would have its `$` expanded.
  changed.set(
    filename,
    source.replace(find, () => replace),
  );
}

try {
  for (const mutation of JSON.parse(process.env.CHAOS_MUTATIONS ?? '[]')) change(mutation);
} catch (error) {
  process.stderr.write(`a mutation does not fit the build: ${error.message}\n`);
  process.exit(EX_SOFTWARE);
}

const load = Module._extensions['.js'];
Module._extensions['.js'] = (module, filename) => {
  const source = changed.get(filename);
  if (source === undefined) load(module, filename);
  else module._compile(source, filename);
};
