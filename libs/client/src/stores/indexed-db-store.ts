import type { Store } from './store.ts';
import { webLock } from './web-lock.ts';

const TABLE = 'values';

/**
 * Keeps everything in an IndexedDB database with this name. Use one name per user and device. A write is confirmed
 * when its transaction is complete. One tab uses the store at a time, and the others wait.
 */
export function indexedDbStore(name: string): Store {
  let opened: Promise<IDBDatabase> | undefined;

  async function run<T>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    opened ??= open(`posthorn:${name}`, () => {
      opened = undefined;
    });
    const database = await opened;
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(TABLE, mode);
      const request = act(transaction.objectStore(TABLE));
      transaction.addEventListener('complete', () => resolve(request.result));
      transaction.addEventListener('abort', () => {
        reject(transaction.error ?? new Error('the transaction was aborted'));
      });
    });
  }

  return {
    get: (key) => run<unknown>('readonly', (table) => table.get(key)),
    set: async (key, value) => void (await run('readwrite', (table) => table.put(value, key))),
    delete: (key) => run('readwrite', (table) => table.delete(key)),
    async keys(prefix) {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      return (await run('readonly', (table) => table.getAllKeys(range))).map(String);
    },
    lock: (signal) => webLock(`posthorn:${name}`, signal),
  };
}

/**
 * Opens the database. `onGone` is called when the browser closes it or it could not be opened, so that the next call
 * opens it again.
 */
function open(name: string, onGone: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.addEventListener('upgradeneeded', () => void request.result.createObjectStore(TABLE));
    request.addEventListener('error', () => {
      onGone();
      reject(request.error ?? new Error('the database could not be opened'));
    });
    request.addEventListener('success', () => {
      const database = request.result;
      database.addEventListener('close', onGone);
      // Otherwise this connection would block a page that deletes the database or opens a newer version.
      database.addEventListener('versionchange', () => {
        database.close();
        onGone();
      });
      resolve(database);
    });
  });
}
