/** What the stores must hold when all is over: what was answered with success, and nothing of anything else. */
export class Ledger {
  /** Ids that came with a 201. */
  readonly accepted = new Set<string>();
  /** Inbox entries of those. */
  entries = 0;
  /** Sends whose answer nobody could read: each may have made a message, or not. */
  unknownSends = 0;
  /** By user: the cursor that was confirmed, and the highest that any frame may have moved it to. */
  readonly cursors = new Map<string, { confirmed: number; possible: number }>();
  /** By user: the ids whose read was confirmed, and all that any frame may have recorded. */
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
