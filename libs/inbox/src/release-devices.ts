import type { InboxDatabase, Statement } from './database';
import { lockTimeoutSql, SHARED_WAIT_MS } from './lock-wait';

/** A connection of a device, by the fencing token that it got when it claimed the device. */
export interface DeviceHold {
  user: string;
  device: string;
  fence: number;
}

/** The end of such a connection. */
export interface DeviceRelease extends DeviceHold {
  /** False for one that was given up before it was open: nobody was seen then. */
  wasOpen: boolean;
}

/**
 * Records that connections ended, and when. A hold that a newer connection took over stays as it is.
 * @throws LockedError when a row stays locked for `lockWaitMs`
 * @throws OutageError
 */
export async function releaseDevices(
  db: InboxDatabase,
  holds: readonly DeviceRelease[],
  lockWaitMs = SHARED_WAIT_MS,
): Promise<void> {
  await db.run(RELEASE, [
    holds.map((hold) => hold.user),
    holds.map((hold) => hold.device),
    holds.map((hold) => hold.fence),
    holds.map((hold) => hold.wasOpen),
    String(lockWaitMs),
  ]);
}

const RELEASE: Statement = {
  name: 'release-devices',
  text: `
    WITH held AS (
      SELECT d.user_id, d.device, h.was_open FROM ${lockTimeoutSql('$5')}, device d
      JOIN unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) AS h (user_id, device, fence, was_open)
        ON h.user_id = d.user_id AND h.device = d.device AND h.fence = d.fence
      ORDER BY d.user_id, d.device FOR UPDATE OF d
    )
    UPDATE device d SET gateway = NULL, last_seen_at = CASE WHEN held.was_open THEN now() ELSE d.last_seen_at END
    FROM held WHERE held.user_id = d.user_id AND held.device = d.device`,
};
