import type { Tracing } from '@posthorn/runtime';
import type { Entry } from './delivery';
import type { Session } from './session';

/** Entries kept per connection. Beyond this number the oldest get no `acknowledge` span. */
const MAX_TRACED = 1_000;

/** Records the last two spans of a message's trace: written to a socket, and acknowledged by its device. */
export class DeliveryTraces {
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  /** An entry was written to the socket. Entries from Postgres have no trace. */
  sent(session: Session, { seq, messageId, source, trace: parent }: Entry): void {
    if (parent === undefined) return;
    const sentAtMs = Date.now();
    const context = this.#tracing.record({
      name: 'deliver',
      kind: 'consumer',
      parent,
      startMs: sentAtMs,
      endMs: sentAtMs,
      attributes: { 'messaging.message.id': messageId, 'posthorn.seq': seq, 'posthorn.source': source },
    });
    session.traced ??= [];
    session.traced.push({ seq, messageId, context, sentAtMs });
    if (session.traced.length > MAX_TRACED) session.traced.shift();
  }

  /** The device's acknowledgement up to `cursor` is committed. */
  acknowledged(session: Session, cursor: number): void {
    const { traced } = session;
    if (traced === null) return;
    const endMs = Date.now();
    while (traced[0] !== undefined && traced[0].seq <= cursor) {
      const { seq, messageId, context, sentAtMs } = traced[0];
      traced.shift();
      this.#tracing.record({
        name: 'acknowledge',
        kind: 'internal',
        parent: context,
        startMs: sentAtMs,
        endMs,
        attributes: { 'messaging.message.id': messageId, 'posthorn.seq': seq },
      });
    }
  }
}
