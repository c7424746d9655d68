import type { InboxDatabase, Statement } from '../database/database';
import { timeSql } from '../database/message-row';
import type { DeliveryDevice } from './find-delivery';

/** What is stored about a user. */
export interface UserFacts {
  /** The newest `seq` of the inbox; 0 if nobody has written to the user yet. */
  newestSeq: number;
  /** Sorted by name, at most `MAX_DEVICES`. */
  devices: DeliveryDevice[];
}

/** How many devices are reported, at most. */
const MAX_DEVICES = 1_000;

/**
 * A user's inbox and devices, for operators. An unknown user has a `newestSeq` of 0 and no devices.
 * @throws OutageError
 */
export async function findUser(db: InboxDatabase, user: string): Promise<UserFacts> {
  const [row] = await db.run<{ newest_seq: number; devices: DeliveryDevice[] }>(FACTS, [user]);
  return { newestSeq: row?.newest_seq ?? 0, devices: row?.devices ?? [] };
}

const FACTS: Statement = {
  name: 'find-user',
  text: `
    SELECT coalesce((SELECT newest_seq FROM inbox WHERE user_id = $1), 0) AS newest_seq,
      coalesce((
        SELECT json_agg(json_build_object('device', d.device, 'cursor', d.cursor, 'gateway', d.gateway,
          'connectedAt', ${timeSql('d.connected_at')}, 'lastSeenAt', ${timeSql('d.last_seen_at')}
        ) ORDER BY d.device)
        FROM (SELECT * FROM device WHERE user_id = $1 ORDER BY device LIMIT ${MAX_DEVICES}) AS d
      ), '[]') AS devices`,
};
