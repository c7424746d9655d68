import type { MigrationInterface, QueryRunner } from 'typeorm';
import { makeWhole, partitionTable } from './partition-table';

const RECEIPTS = {
  name: 'receipt',
  columns: `
    message_id uuid,
    user_id text COLLATE "C",
    delivered_at timestamptz(3) NOT NULL,
    read_at timestamptz(3),
    PRIMARY KEY (message_id, user_id)`,
  by: 'message_id',
  key: 'message_id, user_id',
};

/** Partitions receipts like inbox entries (ADR 0017). */
export class PartitionReceipts1764200000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await partitionTable(runner, RECEIPTS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await makeWhole(runner, RECEIPTS);
    await runner.query('ALTER TABLE receipt SET (fillfactor = 80)');
  }
}
