import type { QueryRunner } from 'typeorm';

/** A table to partition by the time in a message's id (UUIDv7). */
export interface TableToPartition {
  name: string;
  columns: string;
  /** The column with the id. */
  by: string;
  /** The primary key of the table while it is not partitioned. */
  key: string;
}

/**
 * Turns a table into the first partition of a new table with the same name. No row is read or moved, and no other
 * transaction sees a state in between. A migration does this to one table only. The statements of the services lock
 * several tables in different orders, so a migration that locks two could deadlock with them.
 */
export async function partitionTable(
  runner: QueryRunner,
  { name, columns, by }: TableToPartition,
): Promise<void> {
  await runner.query(`
    ALTER TABLE ${name} RENAME TO ${name}_from_start;
    ALTER TABLE ${name}_from_start RENAME CONSTRAINT ${name}_pkey TO ${name}_from_start_pkey;
    CREATE TABLE ${name} (${columns}) PARTITION BY RANGE (${by});
    ALTER TABLE ${name} ATTACH PARTITION ${name}_from_start FOR VALUES FROM (MINVALUE) TO (MAXVALUE)`);
}

/** Turns a partitioned table back into a whole one. It copies every row. */
export async function makeWhole(runner: QueryRunner, { name, key }: TableToPartition): Promise<void> {
  await runner.query(`
    CREATE TABLE ${name}_whole (LIKE ${name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    INSERT INTO ${name}_whole SELECT * FROM ${name};
    DROP TABLE ${name};
    ALTER TABLE ${name}_whole RENAME TO ${name};
    ALTER TABLE ${name} ADD CONSTRAINT ${name}_pkey PRIMARY KEY (${key})`);
}
