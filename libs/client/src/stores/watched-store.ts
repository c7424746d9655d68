import { type Awaitable, isPromise, type Store } from './store.ts';

/** A store that can say when all its writes are done. */
export interface WatchedStore extends Store {
  /** Resolves when no write is running. */
  written(): Promise<void>;
}

/** Wraps a store. */
export function watchedStore(store: Store): WatchedStore {
  const writes = new Set<Promise<void>>();

  function watched(write: Awaitable<void>): Awaitable<void> {
    if (!isPromise(write)) return write;
    writes.add(write);
    // The caller handles the failure.
    void write.catch(() => undefined).finally(() => writes.delete(write));
    return write;
  }

  return {
    get: (key) => store.get(key),
    set: (key, value) => watched(store.set(key, value)),
    delete: (key) => watched(store.delete(key)),
    keys: (prefix) => store.keys(prefix),
    async written() {
      while (writes.size > 0) await Promise.allSettled(writes);
    },
    ...(store.lock === undefined ? {} : { lock: store.lock.bind(store) }),
  };
}
