import { asSeenBy, type Message, type StoredMessage } from '@posthorn/protocol';
import type { InboxDatabase } from '../database/database';
import { MessageEntity } from '../schema/entities/message.entity';

/**
 * The message as `user` sees it. Null when there is no such message, or when it is neither from nor to that user.
 * @throws OutageError
 */
export async function findMessage(db: InboxDatabase, id: string, user: string): Promise<Message | null> {
  const message = await findStoredMessage(db, id);
  if (message === null) return null;
  return message.from === user || message.to.includes(user) ? asSeenBy(user, message) : null;
}

/**
 * The message as it is stored; null when there is no such message.
 * @throws OutageError
 */
export async function findStoredMessage(db: InboxDatabase, id: string): Promise<StoredMessage | null> {
  const row = await db.orm((source) => source.getRepository(MessageEntity).findOneBy({ id }));
  if (row === null) return null;
  return {
    id: row.id,
    from: row.sender,
    to: row.recipients,
    ...(row.text === null ? {} : { text: row.text }),
    ...(row.data === null ? {} : { data: row.data }),
    createdAt: row.createdAt.toISOString(),
  };
}
