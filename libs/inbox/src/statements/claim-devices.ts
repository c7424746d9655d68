import { deviceLock, LOCK_WAITS, lockTimeoutSql } from '../commit/lock-wait';
import type { InboxDatabase, Statement } from '../database/database';

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

/** A device as it is now, and as it was before. */
type ClaimRow =
  | { user: string; device: string; epoch: string; cursor: number; fence: number; newest_seq: number }
  | { user: string; device: string; epoch: null; previous: string | null };

/**
 * Claims devices for new connections, all in one statement: no device may be among them twice.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function claimDevices(
  db: InboxDatabase,
  claims: readonly DeviceClaim[],
  lockWaitMs = LOCK_WAITS.sharedMs,
): Promise<ClaimedDevice[]> {
  const rows = await db.run<ClaimRow>(CLAIM, [
    claims.map((claim) => claim.user),
    claims.map((claim) => claim.device),
    claims.map((claim) => claim.gateway),
    claims.map((claim) => claim.holders?.join(' ') ?? null),
    String(lockWaitMs),
  ]);
  const claimed = new Map<string, ClaimedDevice>();
  const previous = new Map<string, string | null>();
  for (const row of rows) {
    const name = deviceLock(row);
    if (row.epoch === null) {
      previous.set(name, row.previous);
    } else {
      const { cursor, fence, newest_seq: newestSeq, epoch } = row;
      claimed.set(name, { cursor, fence, previousGateway: null, newestSeq, epoch });
    }
  }
  return claims.map((claim) => {
    const device = claimed.get(deviceLock(claim));
    if (device === undefined) throw new Error('a claim came back without its row');
    return { ...device, previousGateway: previous.get(deviceLock(claim)) ?? null };
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
      SELECT a.user_id, a.device, a.gateway, string_to_array(a.holders, ' ') AS holders
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS a (user_id, device, gateway, holders),
        ${lockTimeoutSql('$5')}
    ), was AS MATERIALIZED (
      SELECT a.user_id, a.device, a.gateway, d.gateway AS previous,
        CASE WHEN a.holders IS NULL OR d.gateway = ANY (a.holders) THEN d.connected_at END AS connected_at
      FROM (SELECT * FROM asked ORDER BY user_id COLLATE "C", device COLLATE "C") AS a
      LEFT JOIN LATERAL (
        SELECT gateway, connected_at FROM device
        WHERE user_id = a.user_id AND device = a.device FOR UPDATE
      ) AS d ON true
    ), claimed AS (
      INSERT INTO device (user_id, device, gateway, connected_at)
      SELECT user_id, device, gateway, CASE WHEN previous IS NULL THEN now() ELSE coalesce(connected_at, now()) END
      FROM was ORDER BY user_id COLLATE "C", device COLLATE "C"
      ON CONFLICT (user_id, device) DO UPDATE
        SET fence = device.fence + 1, gateway = EXCLUDED.gateway, connected_at = EXCLUDED.connected_at
      RETURNING user_id, device, cursor, fence
    )
    SELECT user_id AS user, device, (SELECT epoch FROM epoch) AS epoch, cursor, fence,
      coalesce((SELECT newest_seq FROM inbox i WHERE i.user_id = claimed.user_id), 0) AS newest_seq, NULL AS previous
    FROM claimed
    UNION ALL
    SELECT user_id, device, NULL, NULL, NULL, NULL, previous FROM was`,
};
