import type { HeldDevice } from './compare-inboxes';
import type { InboxDatabase, Statement } from './database';

/**
 * The connected devices of a user beyond the first `limit`, by when they connected. Only connections on
 * `gateways` count: what a dead gateway held is connected no more.
 * @throws OutageError
 */
export async function findSurplusDevices(
  db: InboxDatabase,
  user: string,
  gateways: readonly string[],
  limit: number,
): Promise<(HeldDevice & { gateway: string })[]> {
  return await db.run<HeldDevice & { gateway: string }>(SURPLUS, [user, gateways, limit]);
}

const SURPLUS: Statement = {
  name: 'find-surplus-devices',
  text: `
    SELECT user_id AS user, device, gateway FROM device
    WHERE user_id = $1 AND gateway = ANY ($2::text[])
    ORDER BY connected_at, device OFFSET $3`,
};
