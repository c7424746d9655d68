import type { JsonObject, ReceiptStatus } from '@posthorn/protocol';
import type { Problem } from '../http/api.ts';

/** A message to send (PROTOCOL §4.1): text or data or both. */
export interface Draft {
  /** One user or several. */
  to: string | readonly string[];
  text?: string;
  data?: JsonObject;
}

/**
 * The state of a message. `pending`: only stored here. `sent`: accepted by the server (201), so it will arrive.
 * `delivered`: on a device of every recipient. `read`: read by every recipient. `failed`: refused for good; `problem`
 * says why.
 */
export type OutgoingState = 'pending' | 'sent' | 'delivered' | 'read' | 'failed';

/** A message on its way out, as it was when it was reported. The object does not change. */
export interface Outgoing {
  /** Its idempotency key. It names the message before it has an id, and makes retries safe. */
  readonly key: string;
  readonly to: readonly string[];
  readonly text?: string;
  readonly data?: JsonObject;
  readonly state: OutgoingState;
  /** When it was put into the outbox, in ms since 1970, by this device's clock. */
  readonly createdAtMs: number;
  /** Set once it is accepted. */
  readonly id?: string;
  /** The receipts by recipient. Recipients without a receipt are left out. */
  readonly receipts: Readonly<Record<string, ReceiptStatus>>;
  readonly problem?: Problem;
}

/** The state by its receipts: that of the slowest recipient. */
function stateOf({ to, receipts }: Pick<Outgoing, 'to' | 'receipts'>): 'sent' | 'delivered' | 'read' {
  const all = to.map((user) => receipts[user]);
  if (all.includes(undefined)) return 'sent';
  return all.includes('delivered') ? 'delivered' : 'read';
}

/**
 * Adds a receipt. Returns the same object if nothing changes. `read` includes `delivered`, and a state never goes
 * back.
 */
export function withReceipt(outgoing: Outgoing, user: string, status: ReceiptStatus): Outgoing {
  const known = outgoing.receipts[user];
  if (known === 'read' || known === status || !outgoing.to.includes(user)) return outgoing;
  const receipts = { ...outgoing.receipts, [user]: status };
  return { ...outgoing, receipts, state: stateOf({ to: outgoing.to, receipts }) };
}
