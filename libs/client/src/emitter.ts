import { isPromise } from './stores/store.ts';

/** Typed listeners by event name. If one listener throws, the others are still called. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => unknown>>();
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Returns a function that removes the listener. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => unknown): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Calls all listeners. Returns false without listeners. */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): boolean {
    const listeners = [...(this.#listeners.get(name) ?? [])] as ((value: Events[Name]) => unknown)[];
    for (const listener of listeners) {
      try {
        const working = listener(value);
        if (isPromise(working)) working.catch(this.#onThrow);
      } catch (error) {
        this.#onThrow(error);
      }
    }
    return listeners.length > 0;
  }

  clear(): void {
    this.#listeners.clear();
  }
}
