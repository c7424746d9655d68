/** A value or a promise of it. A value that is ready costs no turn of the event loop. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Where a client keeps its cursor, its outbox and its read marks: JSON values by name. One store is for one device of
 * one user. Once a call has returned, or its promise has resolved, its effect survives a reload.
 */
export interface Store {
  get(key: string): Awaitable<unknown>;
  set(key: string, value: unknown): Awaitable<void>;
  delete(key: string): Awaitable<void>;
  /** The names that begin with `prefix`, in ascending order. */
  keys(prefix: string): Awaitable<string[]>;
  /**
   * Waits until no other client uses the store, and then holds it until the returned function is called. A store that
   * only one client can see does not need this. Rejects when the signal is aborted first.
   */
  lock?(signal: AbortSignal): Promise<() => void>;
}

/** A position in an inbox: everything up to and including `seq` has been handled. */
export interface Cursor {
  /** The epoch that `seq` belongs to; null if no gateway has named it yet. */
  epoch: string | null;
  seq: number;
}

/** Checks a stored cursor; undefined if it is not one. */
export function asCursor(value: unknown): Cursor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { epoch, seq } = value as Partial<Record<keyof Cursor, unknown>>;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  return typeof epoch === 'string' || epoch === null ? { epoch, seq } : undefined;
}

/** Whether this is a promise. Any other value is used in the same turn. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
