import { type DeliveryDevice, findUser } from '@posthorn/inbox';
import { type Holders, RedisOutageError } from '@posthorn/routing';
import type { DeliverySources } from './delivery-report';

/** One device of a user. */
export interface UserDeviceReport extends DeliveryDevice {
  /** How many entries it has not acknowledged. */
  behind: number;
  /** Whether its gateway is live and holds the user; null while Redis is unreachable. */
  isConnected: boolean | null;
}

/** What both stores know about a user. */
export interface UserReport {
  user: string;
  /** Null while Redis is unreachable. */
  online: boolean | null;
  /** Live gateways, each with its number of the user's connections; null while Redis is unreachable. */
  gateways: Record<string, number> | null;
  inbox: { newestSeq: number };
  /** The number of entries in the offline list; null while Redis is unreachable. */
  offlineList: { entries: number } | null;
  devices: UserDeviceReport[];
}

/**
 * Collects what Postgres and Redis know about a user. Values that only Redis knows are null while it is unreachable.
 * @throws OutageError if Postgres is unreachable
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
