import { findSurplusDevices, type InboxDatabase, OutageError } from '@posthorn/inbox';
import type { ConnectionTable } from './connection-table';

/**
 * Ends those of a user's connections here that are beyond the limit, counted over all live gateways in the order
 * in which they connected. Every gateway comes to the same order, so none ends too many.
 */
export async function endSurplus(
  db: InboxDatabase,
  table: ConnectionTable,
  gateway: string,
  user: string,
  gateways: readonly string[],
  limit: number,
): Promise<void> {
  try {
    for (const surplus of await findSurplusDevices(db, user, gateways, limit)) {
      if (surplus.gateway !== gateway) continue;
      for (const session of table.ofDevice(user, surplus.device)) {
        if (session.state !== 'claiming') session.close('tryAgainLater');
      }
    }
  } catch (error) {
    if (!(error instanceof OutageError)) throw error; // the next assertion of this user's presence comes here again
  }
}
