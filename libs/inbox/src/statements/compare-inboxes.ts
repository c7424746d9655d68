import type { InboxDatabase, Statement } from '../database/database';

/** A connection that a gateway holds. */
export interface HeldDevice {
  user: string;
  device: string;
}

/** What Postgres knows about the connections that a gateway holds. */
export interface InboxState {
  epoch: string;
  /** In the order asked. `fence` is null when the device has no row, as after a restore from a backup. */
  devices: { newestSeq: number; fence: number | null }[];
}

/**
 * The only query of reconcile: the newest `seq` and the current fencing token for each of many connections.
 * @throws OutageError
 */
export async function compareInboxes(db: InboxDatabase, held: readonly HeldDevice[]): Promise<InboxState> {
  const rows = await db.run<{ epoch: string; newest_seq: number; fence: number | null }>(COMPARE, [
    held.map((device) => device.user),
    held.map((device) => device.device),
  ]);
  const [first] = rows;
  if (first === undefined || rows.length !== held.length)
    throw new Error('compare-inboxes returned a wrong number of rows');
  return {
    epoch: first.epoch,
    devices: rows.map((row) => ({ newestSeq: row.newest_seq, fence: row.fence })),
  };
}

const COMPARE: Statement = {
  name: 'compare-inboxes',
  text: `
    SELECT epoch.epoch,
      coalesce((SELECT newest_seq FROM inbox WHERE user_id = held.user_id), 0) AS newest_seq,
      (SELECT fence FROM device WHERE user_id = held.user_id AND device = held.device) AS fence
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS held (user_id, device, nth)
    CROSS JOIN epoch
    ORDER BY held.nth`,
};
