import type { InboxDatabase } from '../database/database';
import { IdempotencyKeyEntity } from '../schema/entities/idempotency-key.entity';

/**
 * Removes at most `limit` idempotency keys that are older than 24 hours, oldest first. Several processes may do so at
 * once without waiting for each other.
 * @returns how many were removed
 * @throws OutageError
 */
export async function purgeIdempotencyKeys(db: InboxDatabase, limit: number): Promise<number> {
  const result = await db.orm((source) =>
    source
      .getRepository(IdempotencyKeyEntity)
      .createQueryBuilder()
      .delete()
      .where(
        `ctid = ANY (ARRAY(
          SELECT ctid FROM idempotency_key WHERE created_at < now() - interval '24 hours'
          ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED))`,
        { limit },
      )
      .execute(),
  );
  return result.affected ?? 0;
}
