import type { ReceiptNews } from '@posthorn/protocol';
import { LOCK_WAITS, lockTimeoutSql } from '../commit/lock-wait';
import type { InboxDatabase, Statement } from '../database/database';
import { nowSql, timeSql } from '../database/message-row';

/** Messages that a user has read. */
export interface ReadRequest {
  user: string;
  /** Message ids; UUIDs. */
  ids: readonly string[];
}

/** The outcome of one request. */
export interface ReadOutcome {
  /** False when one of the messages was not sent to the user. Then nothing of the request was recorded. */
  isKnown: boolean;
  /** Receipts of the messages that were read for the first time. */
  news: ReceiptNews[];
}

/** A request whose messages were all sent to the user, or a message that was read for the first time. */
type ReadRow =
  | { nth: number; message_id: null }
  | { nth: null; message_id: string; user_id: string; sender: string; at: string };

/**
 * Records *read* receipts, which imply *delivered*. A time that is already stored stays. The receipts are committed
 * when this returns.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function recordReads(
  db: InboxDatabase,
  requests: readonly ReadRequest[],
  lockWaitMs = LOCK_WAITS.sharedMs,
): Promise<ReadOutcome[]> {
  const outcomes = requests.map((): ReadOutcome => ({ isKnown: false, news: [] }));
  const pairs = requests.flatMap((request, index) =>
    [...new Set(request.ids.map((id) => id.toLowerCase()))].map((id) => ({
      nth: index + 1,
      user: request.user,
      id,
    })),
  );
  const rows = await db.run<ReadRow>(RECORD, [
    pairs.map((pair) => pair.nth),
    pairs.map((pair) => pair.user),
    pairs.map((pair) => pair.id),
    String(lockWaitMs),
  ]);
  for (const row of rows) {
    const outcome = row.nth === null ? undefined : outcomes[row.nth - 1];
    if (outcome !== undefined) outcome.isKnown = true;
  }
  const tellers = new Map<string, ReadOutcome>();
  for (const { nth, user, id } of pairs) {
    const outcome = outcomes[nth - 1];
    if (outcome?.isKnown === true) tellers.set(`${user} ${id}`, outcome);
  }
  for (const row of rows) {
    if (row.nth !== null) continue;
    const { message_id: messageId, user_id: user, sender, at } = row;
    tellers.get(`${user} ${messageId}`)?.news.push({ messageId, sender, user, status: 'read', at });
  }
  return outcomes;
}

/**
 * Every recipient of a message has it in the inbox, so it is enough to look at `recipients` in the row of the message.
 * Nothing is joined, and a condition within an OR is looked up in a hash (ADR 0016).
 */
const RECORD: Statement = {
  name: 'record-reads',
  text: `
    WITH asked AS (
      SELECT a.* FROM unnest($1::int[], $2::text[], $3::uuid[]) AS a (nth, user_id, message_id),
        ${lockTimeoutSql('$4')}
    ), known AS (
      SELECT a.nth, a.user_id, a.message_id, m.sender
      FROM asked a LEFT JOIN LATERAL (
        SELECT sender FROM message WHERE id = a.message_id AND a.user_id = ANY (recipients) OFFSET 0
      ) AS m ON true
    ), complete AS MATERIALIZED (
      SELECT nth FROM known GROUP BY nth HAVING count(*) = count(sender)
    ), recorded AS (
      INSERT INTO receipt (message_id, user_id, delivered_at, read_at)
      SELECT DISTINCT message_id, user_id COLLATE "C" AS user_id, ${nowSql}, ${nowSql}
      FROM known WHERE nth IS NULL OR nth IN (SELECT nth FROM complete)
      ORDER BY message_id, user_id COLLATE "C"
      ON CONFLICT (message_id, user_id) DO UPDATE
        -- Our time is when we began. While we waited for the row, a delivery with a later time may have been recorded.
        SET read_at = greatest(EXCLUDED.read_at, receipt.delivered_at) WHERE receipt.read_at IS NULL
      RETURNING message_id, user_id, read_at
    )
    SELECT nth, NULL::uuid AS message_id, NULL AS user_id, NULL AS sender, NULL AS at FROM complete
    UNION ALL
    SELECT NULL, message_id, user_id, (SELECT sender FROM message WHERE id = message_id), ${timeSql('read_at')}
    FROM recorded`,
};
