/**
 * A preload (`node --require`) that changes built code when it is loaded. It makes bugs on purpose, and faults at a
 * certain place, without hooks in the code itself. CHAOS_MUTATIONS holds the changes as JSON, with paths relative to
 * the repository:
 * [{"file": "libs/inbox/dist/statements/move-cursors.js", "find": "…", "replace": "…"}]
 * All are applied at the start of the process, before anything else is loaded. If one does not fit, the process exits
 * with 70.
 */
const { readFileSync, realpathSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const EX_SOFTWARE = 70;

/** By real path, because Node loads files under it. */
const changed = new Map();

function change({ file, find, replace }) {
  const filename = realpathSync(path.join(ROOT, file));
  const source = changed.get(filename) ?? readFileSync(filename, 'utf8');
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times, and not once: ${find}`);
  // A function, because a string would have its `$` expanded.
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
