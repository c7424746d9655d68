import type { ReceiptStatus } from './frames.ts';

/** The receipts of one recipient (PROTOCOL §4.4). A time is RFC 3339, or null until it happens. */
export interface ReceiptItem {
  user: string;
  deliveredAt: string | null;
  readAt: string | null;
}

/** A receipt that was just recorded, for the sender's connected devices. */
export interface ReceiptNews {
  messageId: string;
  sender: string;
  user: string;
  status: ReceiptStatus;
  /** RFC 3339, by the clock of Postgres. */
  at: string;
}
