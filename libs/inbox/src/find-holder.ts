import type { HeldDevice } from './compare-inboxes';
import type { InboxDatabase } from './database';
import { DeviceEntity } from './entities/device.entity';

/**
 * The gateway that holds a device's connection, or null.
 * @throws OutageError
 */
export async function findHolder(db: InboxDatabase, held: HeldDevice): Promise<string | null> {
  const row = await db.orm((source) =>
    source.getRepository(DeviceEntity).findOneBy({ userId: held.user, device: held.device }),
  );
  return row?.gateway ?? null;
}
