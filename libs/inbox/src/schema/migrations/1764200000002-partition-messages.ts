import type { MigrationInterface, QueryRunner } from 'typeorm';
import { makeWhole, partitionTable } from './partition-table';

const MESSAGES = {
  name: 'message',
  columns: `
    id uuid PRIMARY KEY,
    sender text COLLATE "C" NOT NULL,
    recipients text[] COLLATE "C" NOT NULL,
    text text,
    data json,
    created_at timestamptz(3) NOT NULL`,
  by: 'id',
  key: 'id',
};

/**
 * Partitions messages like inbox entries (ADR 0017). A message whose id is a day or more off its commit might be
 * dropped too early. From now on Postgres refuses it.
 */
export class PartitionMessages1764200000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await partitionTable(runner, MESSAGES);
    await runner.query(`
      ALTER TABLE message ADD CONSTRAINT message_id_time_check CHECK (
        abs(('x0000' || translate(left(id::text, 13), '-', ''))::bit(64)::bigint - extract(epoch FROM created_at) * 1000)
          < 86400000
      ) NOT VALID`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE message DROP CONSTRAINT message_id_time_check');
    await makeWhole(runner, MESSAGES);
  }
}
