import type { Store } from '../stores/store.ts';

const NAME = 'identity';

/** Remembers whose store this is. A cursor or an outbox of another user or device would do harm. */
export class Identity {
  readonly #store: Store;
  readonly #device: string;

  constructor(store: Store, device: string) {
    this.#store = store;
    this.#device = device;
  }

  /** False if the store belongs to another device. */
  async isDevice(): Promise<boolean> {
    const { device } = await this.#read();
    return device === undefined || device === this.#device;
  }

  /** False if the store belongs to another user. A store without an owner becomes this user's. */
  async isUser(user: string): Promise<boolean> {
    const known = await this.#read();
    if (known.user !== undefined) return known.user === user;
    await this.#store.set(NAME, { user, device: this.#device });
    return true;
  }

  async #read(): Promise<{ user?: string; device?: string }> {
    return (await this.#store.get(NAME)) ?? {};
  }
}
