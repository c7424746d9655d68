import type { ReceiptStatus } from './frames.ts';

/** When each recipient had a message; times are RFC 3339 or null until they happen. */
export interface ReceiptItem {
  user: string;
  deliveredAt: string | null;
  readAt: string | null;
}

/** A receipt that was recorded just now, for the sender's connected devices. */
export interface ReceiptNews {
  messageId: string;
  sender: string;
  user: string;
  status: ReceiptStatus;
  /** RFC 3339, Postgres' clock. */
  at: string;
}
