import { DataSource } from 'typeorm';
import { DeviceEntity } from './entities/device.entity';
import { EpochEntity } from './entities/epoch.entity';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity';
import { InboxEntity } from './entities/inbox.entity';
import { InboxEntryEntity } from './entities/inbox-entry.entity';
import { MessageEntity } from './entities/message.entity';
import { ReceiptEntity } from './entities/receipt.entity';
import { CreateInbox1763800000000 } from './migrations/1763800000000-create-inbox';
import { PartitionInboxEntries1764200000000 } from './migrations/1764200000000-partition-inbox-entries';
import { PartitionReceipts1764200000001 } from './migrations/1764200000001-partition-receipts';
import { PartitionMessages1764200000002 } from './migrations/1764200000002-partition-messages';

/** In the order in which they run. */
export const migrations = [
  CreateInbox1763800000000,
  PartitionInboxEntries1764200000000,
  PartitionReceipts1764200000001,
  PartitionMessages1764200000002,
];

/** The table in which TypeORM records the migrations that ran. */
export const MIGRATIONS_TABLE = 'posthorn_migration';

/** Every table whose rows must survive a crash. A partitioned table stands for its partitions. */
export const TABLES = [
  'device',
  'epoch',
  'idempotency_key',
  'inbox',
  'inbox_entry',
  'message',
  'receipt',
  MIGRATIONS_TABLE,
];

/**
 * TypeORM's view of the database: entities, migrations and ordinary queries. Hot statements use `InboxDatabase.run`.
 */
export function createDataSource(url: string, extra: object = {}): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: [
      DeviceEntity,
      EpochEntity,
      IdempotencyKeyEntity,
      InboxEntity,
      InboxEntryEntity,
      MessageEntity,
      ReceiptEntity,
    ],
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
    extra,
  });
}
