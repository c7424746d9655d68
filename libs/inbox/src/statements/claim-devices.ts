import { deviceLock, LOCK_WAITS, lockTimeoutSql } from '../commit/lock-wait';
import type { InboxDatabase, Statement } from '../database/database';

/** A connection that wants to become the connection of its device. */
export interface DeviceClaim {
  user: string;
  device: string;
  gateway: string;
  /**
   * The gateways on which the device may be connected now. A connection that takes over from one of them keeps its
   * rank among the user's connections. Null if they are unknown: then the rank is kept too.
   */
  holders: readonly string[] | null;
}

/** What a connection starts with. */
export interface ClaimedDevice {
  /** The highest `seq` that the device acknowledged. */
  cursor: number;
  /** The fencing token. It rises with each claim, so that acknowledgements of older connections are refused. */
  fence: number;
  /** The gateway of the device's previous connection; null if there was none, or if its end was recorded. */
  previousGateway: string | null;
  newestSeq: number;
  epoch: string;
}

/** Two rows for each claim: the device as it is now, and (with `epoch` null) as it was before. */
type ClaimRow =
  | { user: string; device: string; epoch: string; cursor: number; fence: number; newest_seq: number }
  | { user: string; device: string; epoch: null; previous: string | null };

/**
 * Claims devices for new connections, all in one statement. No device may be in `claims` twice.
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
 * Device rows are locked in byte order, here and in every other statement that locks several, so that none of them
 * deadlock. A connection that takes over from a live one keeps its rank (`connected_at`). If the previous gateway is
 * gone, the connection ranks as a new one.
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
