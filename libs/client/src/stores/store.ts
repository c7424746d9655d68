/** A value, or a promise of it: what is there at once costs no turn of the event loop. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Where a client keeps its cursor, its outbox and what is to be marked as read: JSON values by name. One store is for
 * one device of one user. What a call has done, or its promise confirmed, is there after a reload.
 */
export interface Store {
  get(key: string): Awaitable<unknown>;
  set(key: string, value: unknown): Awaitable<void>;
  delete(key: string): Awaitable<void>;
  /** The names that begin with `prefix`, in ascending order. */
  keys(prefix: string): Awaitable<string[]>;
  /**
   * Waits until no other client uses the store, and keeps it until the returned function is called. A store that
   * only one client can see has none. Rejects when the signal is aborted first.
   */
  lock?(signal: AbortSignal): Promise<() => void>;
}

/** A position in an inbox: everything through `seq` has been handled. */
export interface Cursor {
  /** Which life of the inboxes `seq` is of; null where no gateway has said it yet. */
  epoch: string | null;
  seq: number;
}

/** A cursor out of a store, or undefined. */
export function asCursor(value: unknown): Cursor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { epoch, seq } = value as Partial<Record<keyof Cursor, unknown>>;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  return typeof epoch === 'string' || epoch === null ? { epoch, seq } : undefined;
}

/** True for a promise. What is not one is used in the same turn. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
