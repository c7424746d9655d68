import type { JsonObject, StoredMessage } from '@posthorn/protocol';

/** A valid message that a client has sent and that is not committed yet. */
export interface NewMessage {
  sender: string;
  /** Each recipient once. */
  to: readonly string[];
  text?: string;
  data?: JsonObject;
  idempotency?: { key: string; bodyHash: Buffer };
  /** The `traceparent` of the span of the request, when it is traced. It is not stored. */
  trace?: string;
}

/** One inbox entry of an accepted message. */
export interface EntryPlace {
  user: string;
  seq: number;
}

/** A message that was just committed, with its place in each recipient's inbox. */
export interface AcceptedMessage {
  kind: 'accepted';
  message: StoredMessage;
  epoch: string;
  entries: readonly EntryPlace[];
  /** As in the `NewMessage`. */
  trace?: string;
}

/** The outcome of one `NewMessage`. */
export type AcceptOutcome =
  | AcceptedMessage
  /** The key was used before with the same body. This is the first message. */
  | { kind: 'replayed'; message: StoredMessage }
  /** The key was used before with another body. */
  | { kind: 'conflict' };
