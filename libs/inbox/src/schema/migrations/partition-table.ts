import type { QueryRunner } from 'typeorm';

/** A table that becomes partitioned by the time in a message's id (UUIDv7). */
export interface TableToPartition {
  name: string;
  columns: string;
  /** Which column has the id. */
  by: string;
  /** Its primary key as a whole table. */
  key: string;
}

/**
 * Makes the table of before the first partition of one with its name: no row is read or moved, and nobody else sees the
 * moment in between. One table in a migration: statements of the services lock several, each in its own order.
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

/** The way back: writes every row anew. */
export async function makeWhole(runner: QueryRunner, { name, key }: TableToPartition): Promise<void> {
  await runner.query(`
    CREATE TABLE ${name}_whole (LIKE ${name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    INSERT INTO ${name}_whole SELECT * FROM ${name};
    DROP TABLE ${name};
    ALTER TABLE ${name}_whole RENAME TO ${name};
    ALTER TABLE ${name} ADD CONSTRAINT ${name}_pkey PRIMARY KEY (${key})`);
}
