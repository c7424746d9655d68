import type { InboxDatabase, Statement } from '../database/database';
import { timeSql } from '../database/message-row';
import { findStoredMessage } from './find-message';

/** What is stored about one device of a recipient. */
export interface DeliveryDevice {
  device: string;
  /** The highest `seq` that it acknowledged. */
  cursor: number;
  /** The gateway that claimed the device; null once that connection has ended. */
  gateway: string | null;
  connectedAt: string | null;
  lastSeenAt: string | null;
}

/** What is stored about a message and one recipient. */
export interface DeliveryFacts {
  user: string;
  /** Its place in the recipient's inbox; null if the inbox no longer has the entry. */
  seq: number | null;
  deliveredAt: string | null;
  readAt: string | null;
  /** Sorted by name, at most `MAX_DEVICES`. */
  devices: DeliveryDevice[];
}

/** A part of a message's recipients, in the order of its `to`. */
export interface DeliveryPage {
  from: string;
  committedAt: string;
  /** How many recipients the message has. */
  recipients: number;
  items: DeliveryFacts[];
}

/** How many devices of one recipient are reported, at most. */
const MAX_DEVICES = 100;
/**
 * Entries are committed in the order of `seq`, but their times are those at which the transactions began. So an entry
 * with a higher `seq` can have an earlier time, by less than this. It is longer than any statement may run.
 */
const COMMIT_SPAN = '15 s';
/** How many entries are searched from there on, at most. One user does not get more in such a time. */
const MAX_SEARCHED = 100_000;

interface FactsRow {
  user: string;
  seq: number | null;
  delivered_at: string | null;
  read_at: string | null;
  devices: DeliveryDevice[];
}

/**
 * How far a message is with its recipients. It skips the first `after` recipients and returns at most `limit`. Null
 * when there is no such message, or when `sender` is given and somebody else sent it.
 * @throws OutageError
 */
export async function findDelivery(
  db: InboxDatabase,
  messageId: string,
  { sender, after, limit }: { sender: string | null; after: number; limit: number },
): Promise<DeliveryPage | null> {
  const message = await findStoredMessage(db, messageId);
  if (message === null || (sender !== null && message.from !== sender)) return null;
  const users = message.to.slice(after, after + limit);
  const rows = users.length === 0 ? [] : await db.run<FactsRow>(FACTS, [users, messageId, message.createdAt]);
  return {
    from: message.from,
    committedAt: message.createdAt,
    recipients: message.to.length,
    items: rows.map((row) => ({
      user: row.user,
      seq: row.seq,
      deliveredAt: row.delivered_at,
      readAt: row.read_at,
      devices: row.devices,
    })),
  };
}

/**
 * There is no index from a message to its entries: it would slow down every send, and this query is rare. Times rise
 * with `seq`, so a binary search finds where to begin, with the primary keys of both tables. An entry that is not there
 * any more counts as old.
 */
const FACTS: Statement = {
  name: 'find-delivery',
  text: `
    SELECT asked.user_id AS user, place.seq, ${timeSql('r.delivered_at')} AS delivered_at,
      ${timeSql('r.read_at')} AS read_at, coalesce(known.devices, '[]') AS devices
    FROM unnest($1::text[]) WITH ORDINALITY AS asked (user_id, nth)
    LEFT JOIN receipt r ON r.message_id = $2 AND r.user_id = asked.user_id
    LEFT JOIN LATERAL (
      WITH RECURSIVE halving AS (
        SELECT 0::bigint AS older, newest_seq + 1 AS newer FROM inbox WHERE user_id = asked.user_id
        UNION ALL
        SELECT CASE WHEN is_older THEN middle ELSE older END, CASE WHEN is_older THEN newer ELSE middle END
        FROM (
          SELECT older, newer, middle, coalesce((
            SELECT m.created_at < $3::timestamptz - interval '${COMMIT_SPAN}'
            FROM inbox_entry e JOIN message m ON m.id = e.message_id
            WHERE e.user_id = asked.user_id AND e.seq = middle
          ), true) AS is_older
          FROM halving, LATERAL (SELECT (older + newer) / 2 AS middle) AS half
          WHERE newer - older > 1
        ) AS halved
      )
      SELECT e.seq FROM (
        SELECT seq, message_id FROM inbox_entry
        WHERE user_id = asked.user_id AND seq > (SELECT max(older) FROM halving)
        ORDER BY seq LIMIT ${MAX_SEARCHED}
      ) AS e
      WHERE e.message_id = $2 LIMIT 1
    ) AS place ON true
    LEFT JOIN LATERAL (
      SELECT json_agg(json_build_object('device', d.device, 'cursor', d.cursor, 'gateway', d.gateway,
        'connectedAt', ${timeSql('d.connected_at')}, 'lastSeenAt', ${timeSql('d.last_seen_at')}
      ) ORDER BY d.device) AS devices
      FROM (SELECT * FROM device WHERE user_id = asked.user_id ORDER BY device LIMIT ${MAX_DEVICES}) AS d
    ) AS known ON true
    ORDER BY asked.nth`,
};
