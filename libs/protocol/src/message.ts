import type { JsonObject } from './data.ts';

/** A message as one of its readers sees it (PROTOCOL §4.1): `to` is there for the sender only. */
export interface Message {
  id: string;
  from: string;
  to?: readonly string[];
  text?: string;
  data?: JsonObject;
  /** RFC 3339, UTC, milliseconds; Postgres' clock. */
  createdAt: string;
}

/** A message as it is stored: with everybody it went to. */
export type StoredMessage = Message & { to: readonly string[] };

/** One position of a user's inbox. */
export interface InboxItem {
  seq: number;
  message: Message;
}

/** Positions of an inbox whose messages are not kept any more (PROTOCOL §5.2), both ends included. */
export interface SkippedRange {
  from: number;
  to: number;
}

/** The message as `user` sees it: only the sender learns who else got it. */
export function asSeenBy(user: string, message: StoredMessage): Message {
  if (user === message.from) return message;
  const { to: _to, ...seen } = message;
  return seen;
}
