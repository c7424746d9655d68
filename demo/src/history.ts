/** What a chat shows, kept in this browser: one entry for each message, in the order in which it was shown first. */
export interface Entry {
  /** The message's id where it came from somebody else, its key where it is this user's own. */
  key: string;
  isOwn: boolean;
  text: string;
  /** When it was shown first, ms since 1970. */
  shownAtMs: number;
  /** Of an own one. */
  state?: 'pending' | 'sent' | 'delivered' | 'read' | 'failed';
  /** Of an own one, once it is accepted. */
  id?: string;
}

/** Beyond it the oldest leave: a browser keeps some megabytes. */
const MAX_ENTRIES = 5_000;

/** One user's chat. Written at once: with the client's own cursor in the same turn, so that a reload cannot part them. */
export class History {
  readonly #prefix: string;
  #entries: Entry[] = [];
  readonly #places = new Map<string, string>();
  #next = 0;

  constructor(user: string) {
    this.#prefix = `posthorn-demo:${user}:`;
    const names = Object.keys(localStorage).filter((name) => name.startsWith(this.#prefix));
    for (const name of names.sort()) {
      const entry = JSON.parse(localStorage.getItem(name) ?? 'null') as Entry;
      this.#entries.push(entry);
      this.#places.set(entry.key, name);
      this.#next = Number(name.slice(this.#prefix.length)) + 1;
    }
  }

  /** From the oldest on; another array after each change. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Adds an entry, or changes what is known of it. */
  put(entry: Omit<Entry, 'shownAtMs'>): void {
    const place = this.#places.get(entry.key);
    if (place === undefined) return this.#add({ ...entry, shownAtMs: Date.now() });
    this.#entries = this.#entries.map((known) => {
      if (known.key !== entry.key) return known;
      const changed = { ...known, ...entry };
      localStorage.setItem(place, JSON.stringify(changed));
      return changed;
    });
    return undefined;
  }

  /** An own message has come further: nothing goes back. */
  advance(id: string, state: 'delivered' | 'read'): void {
    const known = this.#entries.find((entry) => entry.isOwn && entry.id === id);
    if (known !== undefined && known.state !== 'read') this.put({ ...known, state });
  }

  #add(entry: Entry): void {
    const place = `${this.#prefix}${String(this.#next).padStart(12, '0')}`;
    this.#next += 1;
    localStorage.setItem(place, JSON.stringify(entry));
    this.#places.set(entry.key, place);
    this.#entries = [...this.#entries, entry];
    const [oldest] = this.#entries;
    if (this.#entries.length <= MAX_ENTRIES || oldest === undefined) return;
    localStorage.removeItem(this.#places.get(oldest.key) ?? '');
    this.#places.delete(oldest.key);
    this.#entries = this.#entries.slice(1);
  }
}
