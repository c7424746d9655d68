/** An entry of a chat, kept in this browser: one for each message, in the order of first appearance. */
export interface Entry {
  /** The message's id if somebody else sent it, its key if this user did. */
  key: string;
  isOwn: boolean;
  text: string;
  /** When it first appeared, in ms since 1970. */
  shownAtMs: number;
  /** Only for an own message. */
  state?: 'pending' | 'sent' | 'delivered' | 'read' | 'failed';
  /** Only for an own message, once it is accepted. */
  id?: string;
}

/** Above this the oldest entries are removed, because a browser stores only some megabytes. */
const MAX_ENTRIES = 5_000;

/** One user's chat. It is written in the same turn as the client's cursor, so that a reload cannot separate the two. */
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

  /** Oldest first. Each change creates a new array. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Adds an entry, or updates it. */
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

  /** An own message has a new state. A state never goes back. */
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
