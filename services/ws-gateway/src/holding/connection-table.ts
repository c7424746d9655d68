import type { Session } from '../session/session';

const NONE: readonly Session[] = [];

/** The sessions of this gateway, by user. Counts for presence are computed from it, never stored. */
export class ConnectionTable {
  /** A list is never changed in place, because a loop over it may end sessions. Most users have one session. */
  readonly #sessions = new Map<string, readonly Session[]>();
  #size = 0;

  /** The number of connections, including those that are being opened. */
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

  of(user: string): readonly Session[] {
    return this.#sessions.get(user) ?? NONE;
  }

  /** The sessions of one device. There is more than one only during a takeover. */
  ofDevice(user: string, device: string): Session[] {
    return this.of(user).filter((session) => session.device === device);
  }

  /** The number of users with a connection here. */
  get userCount(): number {
    return this.#sessions.size;
  }

  /** The number of this user's connections here. */
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
