import { LOCK_WAITS, lockTimeoutSql } from '../commit/lock-wait';
import type { InboxDatabase, Statement } from '../database/database';

/** A connection of a device, named by what it got when it claimed the device. */
export interface DeviceHold {
  user: string;
  device: string;
  fence: number;
  /** In another epoch the same fencing token belongs to another connection. */
  epoch: string;
}

/** The end of such a connection. */
export interface DeviceRelease extends DeviceHold {
  /** The gateway that claimed the device. */
  gateway: string;
  /**
   * Set for a claim that did not lead to an open connection: the gateway that held the device before holds it again.
   * Undefined for a connection that was open.
   */
  undo?: { previousGateway: string | null };
}

/** The outcome of one release. */
export interface DeviceReleased {
  /** True when a newer claim prevents the undo. The newer claim may be undone too, so the caller must try again. */
  isCovered: boolean;
}

/**
 * Records that connections ended, and when. If a newer connection has taken over the device, its row stays as it is. A
 * claim that did not lead to an open connection is undone: the previous connection holds the device again, and a device
 * that was new is deleted.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function releaseDevices(
  db: InboxDatabase,
  holds: readonly DeviceRelease[],
  lockWaitMs = LOCK_WAITS.sharedMs,
): Promise<DeviceReleased[]> {
  const rows = await db.run<{ nth: number }>(RELEASE, [
    holds.map((hold) => hold.user),
    holds.map((hold) => hold.device),
    holds.map((hold) => hold.fence),
    holds.map((hold) => hold.epoch),
    holds.map((hold) => hold.gateway),
    holds.map((hold) => hold.undo !== undefined),
    holds.map((hold) => hold.undo?.previousGateway ?? null),
    String(lockWaitMs),
  ]);
  const covered = new Set(rows.map((row) => row.nth));
  return holds.map((_, index) => ({ isCovered: covered.has(index + 1) }));
}

/**
 * Returns the releases that a newer claim covers. The gateway is compared too, because an undo gives the fencing token
 * back and the next claim gets the same one.
 */
const RELEASE: Statement = {
  name: 'release-devices',
  text: `
    WITH known AS MATERIALIZED (
      SELECT h.nth, h.is_undo, h.previous, d.user_id, d.device,
        d.fence > h.fence AS is_covered,
        d.fence = h.fence AND d.gateway = h.gateway AS is_held,
        h.is_undo AND d.fence = 1 AND d.cursor = 0 AND d.last_seen_at IS NULL AS is_new
      FROM ${lockTimeoutSql('$8')}, device d
      JOIN unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], $7::text[])
        WITH ORDINALITY AS h (user_id, device, fence, epoch, gateway, is_undo, previous, nth)
        ON h.user_id = d.user_id AND h.device = d.device
      JOIN epoch e ON e.epoch = h.epoch
      ORDER BY d.user_id, d.device FOR UPDATE OF d
    ), ended AS (
      UPDATE device d SET
        gateway = CASE WHEN known.is_undo THEN known.previous END,
        fence = CASE WHEN known.is_undo THEN d.fence - 1 ELSE d.fence END,
        last_seen_at = CASE WHEN known.is_undo THEN d.last_seen_at ELSE now() END
      FROM known
      WHERE known.is_held AND NOT known.is_new AND known.user_id = d.user_id AND known.device = d.device
    ), forgotten AS (
      DELETE FROM device d USING known
      WHERE known.is_held AND known.is_new AND known.user_id = d.user_id AND known.device = d.device
    )
    SELECT nth::int AS nth FROM known WHERE is_undo AND is_covered`,
};
