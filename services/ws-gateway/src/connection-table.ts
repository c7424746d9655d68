import type { Session } from './session';

const NONE: ReadonlySet<Session> = new Set();

/** The sessions that this gateway holds, by user. What it says of presence is counted here, never kept. */
export class ConnectionTable {
  readonly #sessions = new Map<string, Set<Session>>();
  #size = 0;

  /** Connections, those being opened included. */
  get size(): number {
    return this.#size;
  }

  add(session: Session): void {
    const held = this.#sessions.get(session.user);
    if (held === undefined) this.#sessions.set(session.user, new Set([session]));
    else held.add(session);
    this.#size++;
  }

  remove(session: Session): void {
    const held = this.#sessions.get(session.user);
    if (held === undefined || !held.delete(session)) return;
    this.#size--;
    if (held.size === 0) this.#sessions.delete(session.user);
  }

  /** The sessions of a user. */
  of(user: string): ReadonlySet<Session> {
    return this.#sessions.get(user) ?? NONE;
  }

  /** The sessions of one device of a user; more than one only while a takeover is settled. */
  ofDevice(user: string, device: string): Session[] {
    return [...this.of(user)].filter((session) => session.device === device);
  }

  /** How many connections of the user are held. */
  count(user: string): number {
    return this.of(user).size;
  }

  users(): IterableIterator<string> {
    return this.#sessions.keys();
  }

  *all(): Generator<Session> {
    for (const held of this.#sessions.values()) yield* held;
  }
}
