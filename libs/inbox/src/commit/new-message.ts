import type { JsonObject, StoredMessage } from '@posthorn/protocol';

/** A message that a client wants accepted, validated. */
export interface NewMessage {
  sender: string;
  /** Each recipient once. */
  to: readonly string[];
  text?: string;
  data?: JsonObject;
  idempotency?: { key: string; bodyHash: Buffer };
  /** Of the request, for traces: it is not stored. */
  trace?: string;
}

/** One inbox entry of an accepted message. */
export interface EntryPlace {
  user: string;
  seq: number;
}

/** A message that was committed just now, with its place in each recipient's inbox. */
export interface AcceptedMessage {
  kind: 'accepted';
  message: StoredMessage;
  epoch: string;
  entries: readonly EntryPlace[];
  /** That of the `NewMessage`. */
  trace?: string;
}

/** What became of one `NewMessage`. */
export type AcceptOutcome =
  | AcceptedMessage
  /** The key was used before with the same body: this is the first message. */
  | { kind: 'replayed'; message: StoredMessage }
  /** The key was used before with another body. */
  | { kind: 'conflict' };
