import { type DeliveryDevice, type DeliveryFacts, findDelivery, type InboxDatabase } from '@posthorn/inbox';
import { type Holders, type OfflineList, type Presence, RedisOutageError } from '@posthorn/routing';

/** The delivery status of a message on one device, with the reason in plain words. */
export interface DeviceReport extends DeliveryDevice {
  state: 'acknowledged' | 'connected' | 'offline' | 'unknown';
  why: string;
}

/** The delivery status of a message for one recipient, with the reason in plain words. */
export interface RecipientReport {
  user: string;
  /** The position in the recipient's inbox; null if the entry was deleted. */
  seq: number | null;
  state: 'waiting' | 'delivered' | 'read';
  why: string;
  deliveredAt: string | null;
  readAt: string | null;
  /** The live gateways that hold the user now; null while Redis is unreachable. */
  gateways: string[] | null;
  /** Whether the user's offline list has the entry now; null while Redis is unreachable. */
  isListed: boolean | null;
  devices: DeviceReport[];
}

/** The delivery status of one message (PROTOCOL §4.4). */
export interface DeliveryReport {
  id: string;
  from: string;
  committedAt: string;
  recipients: number;
  items: RecipientReport[];
}

/** Who asks, and for which recipients. */
export interface DeliveryQuery {
  /** The caller, who must be the sender. Null for an operator, who sees every message. */
  sender: string | null;
  /** How many recipients at the beginning of `to` are left out. */
  after: number;
  limit: number;
}

/** Where the report reads its facts. */
export interface DeliverySources {
  db: InboxDatabase;
  presence: Presence;
  offline: OfflineList;
}

/** What Redis knows about a recipient now. */
interface Whereabouts {
  holders: Holders | null;
  isListed: boolean | null;
}

/**
 * Reports the delivery status of a message, recipient by recipient. Values that only Redis knows are null while it is
 * unreachable. Returns null if there is no such message, or if it is not the sender's.
 * @throws OutageError if Postgres is unreachable
 */
export async function reportDelivery(
  { db, presence, offline }: DeliverySources,
  id: string,
  query: DeliveryQuery,
): Promise<DeliveryReport | null> {
  const page = await findDelivery(db, id, query);
  if (page === null) return null;
  const holders = await presence.findHolders(page.items.map(({ user }) => user));
  const listed = await Promise.all(page.items.map((facts) => findListed(offline, facts)));
  return {
    id,
    from: page.from,
    committedAt: page.committedAt,
    recipients: page.recipients,
    items: page.items.map((facts, index) =>
      describeRecipient(facts, { holders: holders[index] ?? null, isListed: listed[index] ?? null }),
    ),
  };
}

async function findListed(offline: OfflineList, { user, seq }: DeliveryFacts): Promise<boolean | null> {
  if (seq === null) return false;
  try {
    return (await offline.read(user, seq - 1, 1)).some((entry) => entry.seq === seq);
  } catch (error) {
    if (!(error instanceof RedisOutageError)) throw error;
    return null;
  }
}

/** Puts the facts into words. Pure. */
export function describeRecipient(
  { user, seq, deliveredAt, readAt, devices }: DeliveryFacts,
  { holders, isListed }: Whereabouts,
): RecipientReport {
  const reports = devices.map((device) => describeDevice(device, seq, holders));
  const state = readAt !== null ? 'read' : deliveredAt !== null ? 'delivered' : 'waiting';
  return {
    user,
    seq,
    state,
    why: whyOf(state, seq, reports),
    deliveredAt,
    readAt,
    gateways: holders === null ? null : [...holders.keys()].sort(),
    isListed,
    devices: reports,
  };
}

function whyOf(
  state: RecipientReport['state'],
  seq: number | null,
  devices: readonly DeviceReport[],
): string {
  if (state === 'read') return 'The user has read it.';
  if (state === 'delivered') return 'A device has acknowledged it; the user has not marked it as read.';
  if (seq === null) return 'Its inbox entry was deleted.';
  if (devices.length === 0) return 'No device of this user has connected yet: it waits in the inbox.';
  if (devices.some((device) => device.state === 'connected'))
    return 'A device is connected and has not acknowledged it.';
  if (devices.some((device) => device.state === 'unknown'))
    return 'Redis does not answer, so it is unknown who is connected: it waits in the inbox.';
  return 'No device is connected: it waits in the inbox and comes with the next connect.';
}

function describeDevice(device: DeliveryDevice, seq: number | null, holders: Holders | null): DeviceReport {
  const { cursor, gateway, connectedAt, lastSeenAt } = device;
  if (seq !== null && cursor >= seq)
    return { ...device, state: 'acknowledged', why: 'It has acknowledged the message.' };
  if (gateway === null) {
    const since = lastSeenAt === null ? '' : ` since ${lastSeenAt}`;
    return { ...device, state: 'offline', why: `Not connected${since}: it comes with the next connect.` };
  }
  if (holders === null) {
    const why = `Its last connection was to ${gateway}. Redis does not answer, so it is unknown whether that connection lives.`;
    return { ...device, state: 'unknown', why };
  }
  if (!holders.has(gateway)) {
    const why = `Its gateway ${gateway} is gone: it comes with the next connect.`;
    return { ...device, state: 'offline', why };
  }
  const behind =
    cursor === (seq ?? 0) - 1 ? '' : `, ${(seq ?? 0) - 1 - cursor} before it are not acknowledged either`;
  const why = `Connected to ${gateway} since ${connectedAt ?? 'an unknown time'}: sent or about to be, and not acknowledged${behind}.`;
  return { ...device, state: 'connected', why };
}
