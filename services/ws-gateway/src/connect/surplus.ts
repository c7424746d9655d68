import { findConnectedDevices, type HeldDevice, type InboxDatabase } from '@posthorn/inbox';
import { type Holders, type Notifier, RedisOutageError } from '@posthorn/routing';
import type { ConnectionTable } from '../holding/connection-table';
import { isUnavailable } from '../unavailable';

/** What ending surplus connections needs. */
export interface SurplusContext {
  db: InboxDatabase;
  table: ConnectionTable;
  notifier: Notifier;
  /** The id of this gateway. */
  gateway: string;
  /** The most connections that one user may have. */
  limit: number;
}

/** A connection, as Postgres knows it. */
export type RankedConnection = HeldDevice & { gateway: string };

/**
 * Lists the connections of a user on these gateways and on this one, in the order in which they connected. It leaves
 * out connections of this gateway that have ended: Postgres may not know that, if it was unreachable at the time.
 * @throws OutageError
 */
export async function rankConnections(
  user: string,
  gateways: Iterable<string>,
  { db, table, gateway }: Pick<SurplusContext, 'db' | 'table' | 'gateway'>,
): Promise<RankedConnection[]> {
  const ranked = await findConnectedDevices(db, user, [...new Set([gateway, ...gateways])]);
  return ranked.filter(
    ({ device, gateway: holder }) => holder !== gateway || table.ofDevice(user, device).length > 0,
  );
}

/**
 * Ends the connections of a user that are over the limit. The limit counts all live gateways, in the order in which
 * the devices connected. Every gateway computes the same order, so together they do not end too many. Other
 * gateways get a notice, because only the gateway that wrote its count last is sure to see all connections.
 */
export async function endSurplus(user: string, holders: Holders, context: SurplusContext): Promise<void> {
  const { table, notifier, gateway } = context;
  try {
    const ranked = await rankConnections(user, holders.keys(), context);
    for (const { device, gateway: holder } of surplusOf(ranked, holders, context)) {
      if (holder === gateway) endSurplusHere(user, device, table);
      else await notifier.publishSurplus(holder, { user, device });
    }
  } catch (error) {
    // This runs again when the user's presence is next written.
    if (!isUnavailable(error) && !(error instanceof RedisOutageError)) throw error;
  }
}

/**
 * Ends the connection of a device, because its user has too many. A session that is still claiming stays: it belongs
 * to the next connection of the device.
 */
export function endSurplusHere(user: string, device: string, table: ConnectionTable): void {
  for (const session of table.ofDevice(user, device)) {
    if (session.state !== 'claiming') session.close('tryAgainLater');
  }
}

/**
 * Returns the newest open connections, as many as exceed the limit. Sessions of this gateway that are still claiming
 * do not count. Another gateway counts with at most the number that it announced, because Postgres may still list
 * connections that have ended there.
 */
function surplusOf(
  ranked: readonly RankedConnection[],
  holders: Holders,
  { table, gateway, limit }: SurplusContext,
): RankedConnection[] {
  const open = ranked.filter(
    ({ user, device, gateway: holder }) =>
      holder !== gateway || table.ofDevice(user, device).some(({ state }) => state !== 'claiming'),
  );
  const countOn = (id: string): number => open.filter(({ gateway: holder }) => holder === id).length;
  const elsewhere = [...holders].filter(([id]) => id !== gateway);
  const total = elsewhere.reduce((sum, [id, held]) => sum + Math.min(held, countOn(id)), countOn(gateway));
  const surplus = total - limit;
  return surplus > 0 ? open.slice(limit).slice(-surplus) : [];
}
