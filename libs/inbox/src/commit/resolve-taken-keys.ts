import type { InboxDatabase, Statement } from '../database/database';
import { type MessageRow, messageColumns, storedMessageFromRow } from '../database/message-row';
import type { AcceptOutcome, NewMessage } from './new-message';

interface KeyRow extends MessageRow {
  nth: number;
  body_hash: Buffer;
}

/**
 * Settles sends whose idempotency key belongs to a committed message. The same body is a replay, another body is a
 * conflict (PROTOCOL §4.1). Returns the sends whose key no longer exists: the caller may try them again. If the
 * database fails, its error is the outcome of all of them.
 */
export async function resolveTakenKeys(
  db: InboxDatabase,
  sends: readonly NewMessage[],
  outcomes: Map<NewMessage, AcceptOutcome | Error>,
): Promise<NewMessage[]> {
  if (sends.length === 0) return [];
  try {
    const rows = await db.run<KeyRow>(FIND_KEYS, [
      sends.map((send) => send.sender),
      sends.map((send) => send.idempotency?.key ?? null),
    ]);
    const owners = new Map(rows.map((row) => [row.nth, row]));
    return sends.filter((send, index) => {
      const owner = owners.get(index + 1);
      if (owner === undefined) return true;
      const isSameBody = send.idempotency?.bodyHash.equals(owner.body_hash) ?? false;
      outcomes.set(
        send,
        isSameBody ? { kind: 'replayed', message: storedMessageFromRow(owner) } : { kind: 'conflict' },
      );
      return false;
    });
  } catch (error) {
    for (const send of sends) outcomes.set(send, error instanceof Error ? error : new Error(String(error)));
    return [];
  }
}

const FIND_KEYS: Statement = {
  name: 'find-idempotency-keys',
  text: `
    SELECT asked.nth::int AS nth, k.body_hash, ${messageColumns}
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (sender, key, nth)
    JOIN idempotency_key k ON k.sender = asked.sender AND k.key = asked.key
    JOIN message m ON m.id = k.message_id`,
};
