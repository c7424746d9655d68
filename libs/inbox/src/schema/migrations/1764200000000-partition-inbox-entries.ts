import type { MigrationInterface, QueryRunner } from 'typeorm';
import { makeWhole, partitionTable } from './partition-table';

/**
 * A key over all partitions would have to hold the message's id. So entries have theirs in each partition by itself; across
 * partitions the lock of the inbox's counter keeps it.
 */
const ENTRIES = {
  name: 'inbox_entry',
  columns: `
    user_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CONSTRAINT inbox_entry_seq_check CHECK (seq > 0),
    message_id uuid NOT NULL`,
  by: 'message_id',
  key: 'user_id, seq',
};

/** What grows with every message is partitioned, so that old messages leave by dropping tables (ADR 0017). */
export class PartitionInboxEntries1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await partitionTable(runner, ENTRIES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await makeWhole(runner, ENTRIES);
  }
}
