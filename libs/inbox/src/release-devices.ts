import type { InboxDatabase, Statement } from './database';

/** A connection of a device, by the fencing token that it got when it claimed the device. */
export interface DeviceHold {
  user: string;
  device: string;
  fence: number;
}

/**
 * Records that connections ended, and when. A hold that a newer connection took over stays as it is.
 * @throws OutageError
 */
export async function releaseDevices(db: InboxDatabase, holds: readonly DeviceHold[]): Promise<void> {
  await db.run(RELEASE, [
    holds.map((hold) => hold.user),
    holds.map((hold) => hold.device),
    holds.map((hold) => hold.fence),
  ]);
}

const RELEASE: Statement = {
  name: 'release-devices',
  text: `
    WITH held AS (
      SELECT d.user_id, d.device FROM device d
      JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS h (user_id, device, fence)
        ON h.user_id = d.user_id AND h.device = d.device AND h.fence = d.fence
      ORDER BY d.user_id, d.device FOR UPDATE OF d
    )
    UPDATE device d SET gateway = NULL, last_seen_at = now()
    FROM held WHERE held.user_id = d.user_id AND held.device = d.device`,
};
