import type { Store } from './store.ts';
import { webLock } from './web-lock.ts';

/**
 * Keeps everything in the page's `localStorage`, below `name`. Use one name per user and device. Writes are
 * immediate, and there is room for some megabytes. One tab uses the store at a time, and the others wait.
 */
export function localStorageStore(name: string): Store {
  const prefix = `posthorn:${name}:`;
  return {
    get(key) {
      const text = localStorage.getItem(prefix + key);
      return text === null ? undefined : (JSON.parse(text) as unknown);
    },
    set: (key, value) => localStorage.setItem(prefix + key, JSON.stringify(value)),
    delete: (key) => localStorage.removeItem(prefix + key),
    keys(start) {
      const found: string[] = [];
      for (let n = 0; n < localStorage.length; n++) {
        const key = localStorage.key(n);
        if (key?.startsWith(prefix + start)) found.push(key.slice(prefix.length));
      }
      return found.sort();
    },
    lock: (signal) => webLock(prefix, signal),
  };
}
