import type { InboxDatabase } from '../database/database';
import { DeviceEntity } from '../schema/entities/device.entity';

/**
 * When the last connection of each user ended, as RFC 3339. Users without an ended connection are absent.
 * @throws OutageError
 */
export async function findLastSeen(
  db: InboxDatabase,
  users: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db.orm((source) =>
    source
      .getRepository(DeviceEntity)
      .createQueryBuilder('device')
      .select('device.userId', 'user')
      .addSelect('max(device.lastSeenAt)', 'at')
      .where('device.userId = ANY(:users)', { users })
      .andWhere('device.lastSeenAt IS NOT NULL')
      .groupBy('device.userId')
      .getRawMany<{ user: string; at: Date }>(),
  );
  return new Map(rows.map((row) => [row.user, row.at.toISOString()]));
}
