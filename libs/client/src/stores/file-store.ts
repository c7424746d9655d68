import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './store.ts';

/**
 * Keeps everything in a folder, one file per name. Use one folder per user and device, and one process at a time. A
 * write is confirmed when the file is on disk. A crash leaves either the old value or the new one.
 */
export function fileStore(folder: string): Store {
  const pathOf = (key: string): string => join(folder, `${encodeURIComponent(key)}.json`);
  let last: Promise<unknown> | undefined;

  /** Runs calls one after another, so that the later of two writes to one name wins. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    last ??= mkdir(folder, { recursive: true, mode: 0o700 });
    const turn = last.then(act);
    last = turn.catch(() => undefined); // the caller gets the error
    return turn;
  }

  return {
    get: (key) =>
      inTurn(async () => {
        const text = await readFile(pathOf(key), 'utf8').catch(undefinedIfMissing);
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      }),
    set(key, value) {
      // Serialize now: the caller may change the value while the write waits for its turn.
      const text = JSON.stringify(value);
      return inTurn(() => write(pathOf(key), text));
    },
    delete: (key) => inTurn(() => rm(pathOf(key), { force: true })),
    keys: (prefix) =>
      inTurn(async () => {
        const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
        const keys = names.map((name) => decodeURIComponent(name.slice(0, -'.json'.length)));
        return keys.filter((key) => key.startsWith(prefix)).sort();
      }),
  };
}

async function write(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

function undefinedIfMissing(error: unknown): undefined {
  if ((error as { code?: unknown } | null)?.code === 'ENOENT') return undefined;
  throw error;
}
