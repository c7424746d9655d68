import type { MigrationInterface, QueryRunner } from 'typeorm';
import { makeWhole, partitionTable } from './partition-table';

/**
 * A primary key of the whole table would have to include `message_id`. So each partition has a primary key of its own.
 * Across partitions, the lock on the inbox's counter keeps `seq` unique.
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

/**
 * Partitions inbox entries. So do the next two migrations with the other tables that grow with every message. Then old
 * messages are removed by dropping tables (ADR 0017).
 */
export class PartitionInboxEntries1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await partitionTable(runner, ENTRIES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await makeWhole(runner, ENTRIES);
  }
}
