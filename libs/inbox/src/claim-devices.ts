import type { InboxDatabase, Statement } from './database';
import { lockTimeoutSql, SHARED_WAIT_MS } from './lock-wait';

/** A connection that wants to be the one of its device. */
export interface DeviceClaim {
  user: string;
  device: string;
  gateway: string;
  /**
   * The gateways on which the device may be connected now: taking over from one of them keeps the connection's rank.
   * Null where nobody can tell.
   */
  holders: readonly string[] | null;
}

/** What a connection starts from. */
export interface ClaimedDevice {
  /** The highest `seq` that the device acknowledged. */
  cursor: number;
  /** Rises with each claim: an older connection's acknowledgements are refused by it. */
  fence: number;
  /** The gateway that held the device's connection before and was not seen to end it. */
  previousGateway: string | null;
  newestSeq: number;
  epoch: string;
}

interface ClaimRow {
  nth: number;
  cursor: number;
  fence: number;
  previous: string | null;
  newest_seq: number;
  epoch: string;
}

/**
 * Claims devices for new connections, all in one statement: no device may be among them twice.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function claimDevices(
  db: InboxDatabase,
  claims: readonly DeviceClaim[],
  lockWaitMs = SHARED_WAIT_MS,
): Promise<ClaimedDevice[]> {
  const rows = await db.run<ClaimRow>(CLAIM, [
    claims.map((claim) => claim.user),
    claims.map((claim) => claim.device),
    claims.map((claim) => claim.gateway),
    claims.map((claim) => claim.holders?.join(' ') ?? null),
    String(lockWaitMs),
  ]);
  const byNth = new Map(rows.map((row) => [row.nth, row]));
  return claims.map((_, index) => {
    const row = byNth.get(index + 1);
    if (row === undefined) throw new Error('a claim came back without its row');
    return {
      cursor: row.cursor,
      fence: row.fence,
      previousGateway: row.previous,
      newestSeq: row.newest_seq,
      epoch: row.epoch,
    };
  });
}

/**
 * Device rows are locked in byte order, here and in every other statement that locks several. Who takes over from a
 * living connection keeps its rank; what a gateway left behind that is gone has none to give.
 */
const CLAIM: Statement = {
  name: 'claim-devices',
  text: `
    WITH asked AS (
      SELECT a.user_id, a.device, a.gateway, string_to_array(a.holders, ' ') AS holders, a.nth
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
        WITH ORDINALITY AS a (user_id, device, gateway, holders, nth), ${lockTimeoutSql('$5')}
    ), was AS MATERIALIZED (
      SELECT a.user_id, a.device, d.gateway,
        CASE WHEN a.holders IS NULL OR d.gateway = ANY (a.holders) THEN d.connected_at END AS connected_at
      FROM (SELECT * FROM asked ORDER BY user_id COLLATE "C", device COLLATE "C") AS a
      CROSS JOIN LATERAL (
        SELECT gateway, connected_at FROM device
        WHERE user_id = a.user_id AND device = a.device FOR UPDATE
      ) AS d
    ), claimed AS (
      INSERT INTO device (user_id, device, gateway, connected_at)
      SELECT a.user_id, a.device, a.gateway, coalesce(w.connected_at, now())
      FROM asked a LEFT JOIN was w ON w.gateway IS NOT NULL AND w.user_id = a.user_id AND w.device = a.device
      ORDER BY a.user_id COLLATE "C", a.device COLLATE "C"
      ON CONFLICT (user_id, device) DO UPDATE
        SET fence = device.fence + 1, gateway = EXCLUDED.gateway, connected_at = EXCLUDED.connected_at
      RETURNING user_id, device, cursor, fence
    )
    SELECT a.nth::int AS nth, c.cursor, c.fence, w.gateway AS previous,
      coalesce((SELECT newest_seq FROM inbox WHERE user_id = a.user_id), 0) AS newest_seq,
      (SELECT epoch FROM epoch) AS epoch
    FROM asked a
    JOIN claimed c ON c.user_id = a.user_id AND c.device = a.device
    LEFT JOIN was w ON w.user_id = a.user_id AND w.device = a.device`,
};
