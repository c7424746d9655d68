import type { JsonObject } from './data.ts';

/** A message, as its reader sees it (PROTOCOL §4.1). Only the sender sees `to`. */
export interface Message {
  id: string;
  from: string;
  to?: readonly string[];
  text?: string;
  data?: JsonObject;
  /** RFC 3339 in UTC with milliseconds, by the clock of Postgres. */
  createdAt: string;
}

/** A message as it is stored, with all its recipients. */
export type StoredMessage = Message & { to: readonly string[] };

/** One entry of a user's inbox. */
export interface InboxItem {
  seq: number;
  message: Message;
}

/** Positions of an inbox whose entries were deleted, both ends included (PROTOCOL §5.2). */
export interface SkippedRange {
  from: number;
  to: number;
}

/** The message, as `user` sees it. Only the sender sees `to`. */
export function asSeenBy(user: string, message: StoredMessage): Message {
  if (user === message.from) return message;
  const { to: _to, ...seen } = message;
  return seen;
}
