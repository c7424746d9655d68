import type { JsonObject, ReceiptStatus } from '@posthorn/protocol';
import type { Problem } from '../http/api.ts';

/** What to send (PROTOCOL §4.1): text or data or both. */
export interface Draft {
  /** One user or several. */
  to: string | readonly string[];
  text?: string;
  data?: JsonObject;
}

/**
 * How far a message has come: kept here; accepted by the server (a 201: it will arrive); on a device of every
 * recipient; read by every recipient. `failed`: refused for good, `problem` says why.
 */
export type OutgoingState = 'pending' | 'sent' | 'delivered' | 'read' | 'failed';

/** A message on its way out, as it was when it was told: it does not change by itself. */
export interface Outgoing {
  /** Its idempotency key: names it before it has an id, and makes every retry safe. */
  readonly key: string;
  readonly to: readonly string[];
  readonly text?: string;
  readonly data?: JsonObject;
  readonly state: OutgoingState;
  /** When it was put into the outbox, ms since 1970, by this device's clock. */
  readonly createdAtMs: number;
  /** Since it was accepted. */
  readonly id?: string;
  /** What is known of each recipient; who is not named has nothing yet. */
  readonly receipts: Readonly<Record<string, ReceiptStatus>>;
  readonly problem?: Problem;
}

/** The state that its receipts make: that of the recipient who is least far. */
function stateOf({ to, receipts }: Pick<Outgoing, 'to' | 'receipts'>): 'sent' | 'delivered' | 'read' {
  const all = to.map((user) => receipts[user]);
  if (all.includes(undefined)) return 'sent';
  return all.includes('delivered') ? 'delivered' : 'read';
}

/** With one more receipt; the same object where it says nothing new. Read implies delivered, and nothing goes back. */
export function withReceipt(outgoing: Outgoing, user: string, status: ReceiptStatus): Outgoing {
  const known = outgoing.receipts[user];
  if (known === 'read' || known === status || !outgoing.to.includes(user)) return outgoing;
  const receipts = { ...outgoing.receipts, [user]: status };
  return { ...outgoing, receipts, state: stateOf({ to: outgoing.to, receipts }) };
}
