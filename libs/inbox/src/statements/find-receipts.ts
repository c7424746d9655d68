import type { ReceiptItem } from '@posthorn/protocol';
import type { InboxDatabase } from '../database/database';
import { ReceiptEntity } from '../schema/entities/receipt.entity';
import { findStoredMessage } from './find-message';

/**
 * One item for each recipient of a message, in the order of its `to`. Null when that sender has no such message.
 * @throws OutageError
 */
export async function findReceipts(
  db: InboxDatabase,
  messageId: string,
  sender: string,
): Promise<ReceiptItem[] | null> {
  const message = await findStoredMessage(db, messageId);
  if (message === null || message.from !== sender) return null;
  const rows = await db.orm((source) => source.getRepository(ReceiptEntity).findBy({ messageId }));
  const receipts = new Map(rows.map((row) => [row.userId, row]));
  return message.to.map((user) => {
    const receipt = receipts.get(user);
    return {
      user,
      deliveredAt: receipt?.deliveredAt.toISOString() ?? null,
      readAt: receipt?.readAt?.toISOString() ?? null,
    };
  });
}
