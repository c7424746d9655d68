/** What the stores must hold at the end: what was answered with success, and nothing else. */
export class Ledger {
  /** The ids of all 201 answers. */
  readonly accepted = new Set<string>();
  /** Inbox entries of accepted messages. */
  entries = 0;
  /** Sends with an unreadable answer. Each may have made a message or not. */
  unknownSends = 0;
  /** By user: the confirmed cursor, and the highest one that any frame may have set. */
  readonly cursors = new Map<string, { confirmed: number; possible: number }>();
  /** By user: the ids with a confirmed read, and all ids that any frame may have recorded. */
  readonly reads = new Map<string, { confirmed: Set<string>; possible: Set<string> }>();

  accept(id: string, recipients: number): void {
    if (this.accepted.has(id)) return;
    this.accepted.add(id);
    this.entries += recipients;
  }

  cursorOf(user: string): { confirmed: number; possible: number } {
    const known = this.cursors.get(user) ?? { confirmed: 0, possible: 0 };
    this.cursors.set(user, known);
    return known;
  }

  readsOf(user: string): { confirmed: Set<string>; possible: Set<string> } {
    const known = this.reads.get(user) ?? { confirmed: new Set(), possible: new Set() };
    this.reads.set(user, known);
    return known;
  }
}
