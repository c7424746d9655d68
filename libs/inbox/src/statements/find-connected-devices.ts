import type { InboxDatabase, Statement } from '../database/database';
import type { HeldDevice } from './compare-inboxes';

/**
 * The connected devices of a user, in the order in which they were claimed. That order ranks them for the limit on
 * connections. Only connections on `gateways` count, because those of a dead gateway have ended.
 * @throws OutageError
 */
export async function findConnectedDevices(
  db: InboxDatabase,
  user: string,
  gateways: readonly string[],
): Promise<(HeldDevice & { gateway: string })[]> {
  return await db.run<HeldDevice & { gateway: string }>(CONNECTED, [user, gateways]);
}

const CONNECTED: Statement = {
  name: 'find-connected-devices',
  text: `
    SELECT user_id AS user, device, gateway FROM device
    WHERE user_id = $1 AND gateway = ANY ($2::text[])
    ORDER BY connected_at, device`,
};
