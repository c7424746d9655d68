import { findConnectedDevices, type InboxDatabase } from '@posthorn/inbox';
import { type Notifier, RedisOutageError } from '@posthorn/routing';
import type { ConnectionTable } from './connection-table';
import { isUnavailable } from './unavailable';

/** What ending surplus connections needs. */
export interface SurplusContext {
  db: InboxDatabase;
  table: ConnectionTable;
  notifier: Notifier;
  /** The own id. */
  gateway: string;
  /** Connections of one user at most. */
  limit: number;
}

/**
 * Ends those of a user's connections that are beyond the limit, counted over all live gateways in the order in which
 * they connected. Every gateway comes to the same order, so none ends too many. Those of another gateway are told to
 * it: whichever wrote its count last is the only one to see them all.
 */
export async function endSurplus(
  user: string,
  gateways: readonly string[],
  { db, table, notifier, gateway, limit }: SurplusContext,
): Promise<void> {
  try {
    const connected = await findConnectedDevices(db, user, gateways);
    for (const { device, gateway: holder } of connected.slice(limit)) {
      if (holder === gateway) endSurplusHere(user, device, table);
      else await notifier.publishSurplus(holder, { user, device });
    }
  } catch (error) {
    // The next assertion of this user's presence comes here again.
    if (!isUnavailable(error) && !(error instanceof RedisOutageError)) throw error;
  }
}

/** Ends the connection of a device that is beyond its user's limit. One that is still being claimed is the next one. */
export function endSurplusHere(user: string, device: string, table: ConnectionTable): void {
  for (const session of table.ofDevice(user, device)) {
    if (session.state !== 'claiming') session.close('tryAgainLater');
  }
}
