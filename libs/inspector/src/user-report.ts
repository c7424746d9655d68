import { type DeliveryDevice, findUser } from '@posthorn/inbox';
import { type Holders, RedisOutageError } from '@posthorn/routing';
import type { DeliverySources } from './delivery-report';

/** One device of a user. */
export interface UserDeviceReport extends DeliveryDevice {
  /** Entries that it has not acknowledged. */
  behind: number;
  /** Whether a live gateway holds it; null while Redis does not tell. */
  isConnected: boolean | null;
}

/** A user, as everything together knows them. */
export interface UserReport {
  user: string;
  /** Null while Redis does not tell. */
  online: boolean | null;
  /** Live gateways, and how many connections of the user each holds; null while Redis does not tell. */
  gateways: Record<string, number> | null;
  inbox: { newestSeq: number };
  /** Entries on the offline list in Redis: a cache of the inbox's end; null while Redis does not tell. */
  offlineList: { entries: number } | null;
  devices: UserDeviceReport[];
}

/**
 * Tells of a user: what Postgres keeps in any case, what Redis knows as far as it is in reach.
 * @throws OutageError
 */
export async function reportUser(sources: DeliverySources, user: string): Promise<UserReport> {
  const { db, presence } = sources;
  const [facts, [holders], entries] = await Promise.all([
    findUser(db, user),
    presence.findHolders([user]),
    countListed(sources, user),
  ]);
  return {
    user,
    online: holders ? holders.size > 0 : null,
    gateways: holders ? Object.fromEntries(holders) : null,
    inbox: { newestSeq: facts.newestSeq },
    offlineList: entries === null ? null : { entries },
    devices: facts.devices.map((device) => ({
      ...device,
      behind: Math.max(0, facts.newestSeq - device.cursor),
      isConnected: isConnected(device, holders ?? null),
    })),
  };
}

async function countListed({ offline }: DeliverySources, user: string): Promise<number | null> {
  try {
    return await offline.count(user);
  } catch (error) {
    if (!(error instanceof RedisOutageError)) throw error;
    return null;
  }
}

function isConnected({ gateway }: DeliveryDevice, holders: Holders | null): boolean | null {
  if (gateway === null) return false;
  return holders === null ? null : holders.has(gateway);
}
