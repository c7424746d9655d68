import type { Session } from '../session/session';

const NONE: readonly Session[] = [];

/** The sessions that this gateway holds, by user. What it says of presence is counted here, never kept. */
export class ConnectionTable {
  /** Never changed in place: whoever goes through one may end sessions meanwhile. Of most users there is one. */
  readonly #sessions = new Map<string, readonly Session[]>();
  #size = 0;

  /** Connections, those being opened included. */
  get size(): number {
    return this.#size;
  }

  add(session: Session): void {
    this.#sessions.set(session.user, [...this.of(session.user), session]);
    this.#size++;
  }

  remove(session: Session): void {
    const held = this.of(session.user);
    const others = held.filter((other) => other !== session);
    if (others.length === held.length) return;
    this.#size--;
    if (others.length === 0) this.#sessions.delete(session.user);
    else this.#sessions.set(session.user, others);
  }

  /** The sessions of a user. */
  of(user: string): readonly Session[] {
    return this.#sessions.get(user) ?? NONE;
  }

  /** The sessions of one device of a user; more than one only while a takeover is settled. */
  ofDevice(user: string, device: string): Session[] {
    return this.of(user).filter((session) => session.device === device);
  }

  /** Users with a connection here. */
  get userCount(): number {
    return this.#sessions.size;
  }

  /** How many connections of the user are held. */
  count(user: string): number {
    return this.of(user).length;
  }

  users(): IterableIterator<string> {
    return this.#sessions.keys();
  }

  *all(): Generator<Session> {
    for (const held of this.#sessions.values()) yield* held;
  }
}
