import type { InboxDatabase, Statement } from './database';
import { lockTimeoutSql, SHARED_WAIT_MS } from './lock-wait';
import { LockedError, OutageError } from './outage';

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
 * Claims devices for new connections, all in one statement. A device that is claimed twice in one
 * batch is claimed one after the other: the later connection is the newer one.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function claimDevices(
  db: InboxDatabase,
  claims: readonly DeviceClaim[],
  lockWaitMs = SHARED_WAIT_MS,
): Promise<ClaimedDevice[]> {
  const claimed = new Map<DeviceClaim, ClaimedDevice>();
  let waiting = claims;
  while (waiting.length > 0) {
    const names = new Set<string>();
    const later: DeviceClaim[] = [];
    const now = waiting.filter((claim) => {
      const name = `${claim.user} ${claim.device}`;
      if (names.has(name)) later.push(claim);
      return !names.has(name) && names.add(name);
    });
    const rows = await db
      .run<ClaimRow>(CLAIM, [
        now.map((claim) => claim.user),
        now.map((claim) => claim.device),
        now.map((claim) => claim.gateway),
        now.map((claim) => claim.holders?.join(' ') ?? null),
        String(lockWaitMs),
      ])
      .catch((error: unknown) => {
        // What came before is claimed already: it must not pass for untouched.
        throw error instanceof LockedError && waiting !== claims ? new OutageError(error.message) : error;
      });
    for (const row of rows) {
      const claim = now[row.nth - 1];
      if (claim === undefined) continue;
      claimed.set(claim, {
        cursor: row.cursor,
        fence: row.fence,
        previousGateway: row.previous,
        newestSeq: row.newest_seq,
        epoch: row.epoch,
      });
    }
    waiting = later;
  }
  return claims.map((claim) => {
    const result = claimed.get(claim);
    if (result === undefined) throw new Error('a claim came back without its row');
    return result;
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
