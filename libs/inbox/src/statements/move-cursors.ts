import type { ReceiptNews } from '@posthorn/protocol';
import { LOCK_WAITS, lockTimeoutSql } from '../commit/lock-wait';
import type { InboxDatabase, Statement } from '../database/database';
import { nowSql, nowTextSql } from '../database/message-row';
import type { DeviceHold } from './release-devices';

/** An acknowledgement: the device has every entry up to `seq`. */
export interface CursorMove extends DeviceHold {
  seq: number;
}

/** The outcome of one move. */
export interface CursorMoved {
  /**
   * False when the acknowledgement was refused: the device is not held under this fencing token (any more), or the
   * epoch has changed.
   */
  isHolder: boolean;
  /** The cursor now. It is below the `seq` of the move if that was too far for one statement. */
  cursor: number;
  /** Receipts of the messages that this move delivered for the first time. */
  news: ReceiptNews[];
}

/** How many entries one statement records as delivered, at most. Each of its devices gets an equal share. */
const MAX_ENTRIES = 5_000;

/** A move that was not refused, or an entry that was delivered for the first time. */
type MovedRow =
  | { nth: number; cursor: number; message_id: null }
  | { nth: null; message_id: string; user_id: string; sender: string | null; at: string };

/**
 * Moves cursors forward, never back, and records *delivered* for every entry that a cursor passes. A move that is too
 * far for one statement is done in part, and the caller asks again. If a batch has several moves of one device, only
 * the highest is written. The moves are committed when this returns.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function moveCursors(
  db: InboxDatabase,
  moves: readonly CursorMove[],
  lockWaitMs = LOCK_WAITS.sharedMs,
): Promise<CursorMoved[]> {
  const results = moves.map((): CursorMoved => ({ isHolder: false, cursor: 0, news: [] }));
  const targets = highestOfEach(moves);
  const rows = await db.run<MovedRow>(MOVE, [
    targets.map(({ move }) => move.user),
    targets.map(({ move }) => move.device),
    targets.map(({ move }) => move.fence),
    targets.map(({ move }) => move.seq),
    targets.map(({ move }) => move.epoch),
    Math.max(1, Math.floor(MAX_ENTRIES / targets.length)),
    String(lockWaitMs),
  ]);
  const holders = new Map<string, CursorMoved>();
  for (const row of rows) {
    if (row.nth === null) continue;
    const target = targets[row.nth - 1];
    const result = target && results[target.index];
    if (target === undefined || result === undefined) continue;
    result.isHolder = true;
    result.cursor = row.cursor;
    holders.set(target.move.user, result);
  }
  // A receipt belongs to the user and not to a device, so it does not matter which move of the user gets the news.
  for (const row of rows) {
    if (row.nth !== null) continue;
    const { message_id: messageId, sender, user_id: user, at } = row;
    if (sender === null) continue; // the message was dropped already, so nobody waits for this receipt
    holders.get(user)?.news.push({ messageId, sender, user, status: 'delivered', at });
  }
  return shareResults(moves, results);
}

interface Target {
  index: number;
  move: CursorMove;
}

function holdName(hold: DeviceHold): string {
  return `${hold.user} ${hold.device} ${hold.fence} ${hold.epoch}`;
}

function highestOfEach(moves: readonly CursorMove[]): Target[] {
  const targets = new Map<string, Target>();
  for (const [index, move] of moves.entries()) {
    const known = targets.get(holdName(move));
    if (known === undefined || known.move.seq < move.seq) targets.set(holdName(move), { index, move });
  }
  return [...targets.values()];
}

/** The lower moves of a device get the outcome of its highest one. Only the highest one has the news. */
function shareResults(moves: readonly CursorMove[], results: CursorMoved[]): CursorMoved[] {
  const cursors = new Map<string, number>();
  for (const [index, move] of moves.entries()) {
    const result = results[index];
    if (result?.isHolder) cursors.set(holdName(move), result.cursor);
  }
  return moves.map((move, index) => {
    const cursor = cursors.get(holdName(move));
    return { isHolder: cursor !== undefined, cursor: cursor ?? 0, news: results[index]?.news ?? [] };
  });
}

/**
 * - `held` locks the device rows in byte order. It drops moves under an older fencing token, and moves of another
 *   epoch, in which the same `seq` is another entry.
 * - `moved` never inserts, because the rows exist and are locked.
 * - `delivered` inserts receipts in byte order, so that two devices of one user cannot deadlock. An existing receipt
 *   stays as it is, because the first time counts.
 *
 * Each row of a table is looked up by itself (LATERAL, a subquery, ON CONFLICT). Postgres may plan a join as a scan of
 * the whole table while the table is small, and keeps that plan when the table has grown (ADR 0015, 0016).
 */
const MOVE: Statement = {
  name: 'move-cursors',
  text: `
    WITH asked AS (
      SELECT a.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
        WITH ORDINALITY AS a (user_id, device, fence, seq, epoch, nth), ${lockTimeoutSql('$7')}
    ), held AS MATERIALIZED (
      SELECT a.nth, a.user_id, a.device, d.cursor AS was,
        greatest(d.cursor, least(a.seq, d.cursor + $6::int)) AS cursor
      FROM (
        SELECT asked.* FROM asked JOIN epoch USING (epoch) ORDER BY user_id COLLATE "C", device COLLATE "C"
      ) AS a
      CROSS JOIN LATERAL (
        SELECT cursor FROM device
        WHERE user_id = a.user_id AND device = a.device AND fence = a.fence FOR UPDATE
      ) AS d
    ), moved AS (
      INSERT INTO device (user_id, device, cursor)
      SELECT user_id, device, cursor FROM held WHERE cursor > was
      ON CONFLICT (user_id, device) DO UPDATE SET cursor = EXCLUDED.cursor WHERE device.cursor < EXCLUDED.cursor
    ), delivered AS (
      INSERT INTO receipt (message_id, user_id, delivered_at)
      SELECT DISTINCT e.message_id, held.user_id COLLATE "C", ${nowSql}
      FROM held CROSS JOIN LATERAL (
        SELECT message_id FROM inbox_entry
        WHERE user_id = held.user_id AND seq > held.was AND seq <= held.cursor OFFSET 0
      ) AS e
      ORDER BY 1, 2
      ON CONFLICT DO NOTHING
      RETURNING message_id, user_id
    )
    SELECT held.nth::int AS nth, held.cursor, NULL::uuid AS message_id, NULL AS user_id, NULL AS sender, NULL AS at
    FROM held
    UNION ALL
    SELECT NULL, NULL, message_id, user_id, (SELECT sender FROM message WHERE id = message_id), ${nowTextSql}
    FROM delivered`,
};
