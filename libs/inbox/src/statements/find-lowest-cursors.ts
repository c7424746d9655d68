import type { InboxDatabase, Statement } from '../database/database';

/**
 * The lowest cursor among the devices of each user, with the current epoch. Users without a device are absent.
 * @throws OutageError
 */
export async function findLowestCursors(
  db: InboxDatabase,
  users: readonly string[],
): Promise<{ user: string; cursor: number; epoch: string }[]> {
  const rows = await db.run<{ user_id: string; cursor: number; epoch: string }>(LOWEST, [users]);
  return rows.map((row) => ({ user: row.user_id, cursor: row.cursor, epoch: row.epoch }));
}

const LOWEST: Statement = {
  name: 'find-lowest-cursors',
  text: `
    SELECT user_id, min(cursor) AS cursor, (SELECT epoch FROM epoch) AS epoch
    FROM device WHERE user_id = ANY ($1::text[]) GROUP BY user_id`,
};
