import { findConnectedDevices, type HeldDevice, type InboxDatabase } from '@posthorn/inbox';
import { type Holders, type Notifier, RedisOutageError } from '@posthorn/routing';
import type { ConnectionTable } from '../holding/connection-table';
import { isUnavailable } from '../unavailable';

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

/** A connection, as Postgres has it. */
export type RankedConnection = HeldDevice & { gateway: string };

/**
 * The connections of a user on these gateways, in the order in which they connected. Of the own ones only those are
 * left that there are: while Postgres was out of reach the end of one may not have been recorded.
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
 * Ends those of a user's connections that are beyond the limit, counted over all live gateways in the order in which
 * they connected. Every gateway comes to the same order, so none ends too many. Those of another gateway are told to
 * it: whichever wrote its count last is the only one to see them all.
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

/**
 * The last of the open ones, as many as there are beyond the limit. What is being claimed here is no connection yet,
 * and another gateway has no more of them than it says, whatever was not recorded of those that ended there.
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
