import { isPromise } from './stores/store.ts';

/** Who listens to what, with types. A listener that throws does not keep the others from being told. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => unknown>>();
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Returns what ends the listening. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => unknown): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Tells everybody; false where nobody listens. */
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
