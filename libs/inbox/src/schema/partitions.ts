import type { Client } from 'pg';

/** A table whose old rows are dropped by time. */
export interface PartitionedTable {
  name: string;
  /** The column with the message id, whose time decides. */
  key: string;
  /** Constraints that each partition gets in addition to those of the whole table. */
  ownKey: string;
}

/** A part of a table: the rows of messages of some days. */
export interface Partition {
  table: PartitionedTable;
  name: string;
  /** The time of its first possible message id, in milliseconds since 1970; −∞ for the first partition. */
  fromMs: number;
  /** The time before which its message ids end; ∞ for the last partition. */
  toMs: number;
}

/** In the order in which old rows are dropped: entries first, so that no entry refers to a message that is gone. */
export const PARTITIONED: readonly PartitionedTable[] = [
  { name: 'inbox_entry', key: 'message_id', ownKey: '(PRIMARY KEY (user_id, seq))' },
  { name: 'receipt', key: 'message_id', ownKey: '' },
  { name: 'message', key: 'id', ownKey: '' },
];

export const DAY_MS = 86_400_000;

/** How long a change of partitions waits for locks, in milliseconds. */
export interface TableWaits {
  /** For a lock on a whole table. All other statements on the table wait behind it. */
  readonly tableMs: number;
  /** For a vacuum to end; this wait delays nobody else. An autovacuum stops when we have waited for a second. */
  readonly vacuumMs: number;
}

export const TABLE_WAITS: TableWaits = { tableMs: 200, vacuumMs: 5_000 };

/** The partitions of a table, oldest first. The last has no end, so that every message has a place. */
export async function listPartitions(client: Client, table: PartitionedTable): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string; bounds: string }>(
    `SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1)`,
    [table.name],
  );
  return rows
    .map(({ name, bounds }) => {
      const [, from, to] = /FROM \((\S+)\) TO \((\S+)\)/.exec(bounds) ?? [];
      return { table, name, fromMs: msOfBound(from), toMs: msOfBound(to) };
    })
    .sort((a, b) => a.fromMs - b.fromMs);
}

/** True when the partition has no row. */
export async function isEmptyPartition(client: Client, { name }: Partition): Promise<boolean> {
  const { rows } = await client.query<{ is_empty: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ${name}) AS is_empty`,
  );
  return rows[0]?.is_empty === true;
}

/**
 * Ends the last partition at `atMs`, and adds a new last one without an end. Call `promiseBound` before, unless the
 * partition has few rows: without that promise Postgres reads all its rows while all other statements wait.
 */
export async function splitPartition(
  client: Client,
  last: Partition,
  atMs: number,
  waits: TableWaits,
): Promise<void> {
  const { table, name, fromMs } = last;
  const settings = await settingsOf(client, name);
  await changePartition(
    client,
    last,
    `LOCK TABLE ONLY ${table.name} IN ACCESS EXCLUSIVE MODE;
     ALTER TABLE ${table.name} DETACH PARTITION ${name};
     ALTER TABLE ${table.name} ATTACH PARTITION ${name} FOR VALUES FROM (${boundOf(fromMs)}) TO (${boundOf(atMs)});
     ALTER TABLE ${name} DROP CONSTRAINT IF EXISTS ${BOUND};
     CREATE TABLE ${table.name}_from_${dayOf(atMs)} PARTITION OF ${table.name} ${table.ownKey}
       FOR VALUES FROM (${boundOf(atMs)}) TO (MAXVALUE) ${settings}`,
    waits,
  );
}

/**
 * Has Postgres check that all rows of a partition are older than `atMs`, while reads and writes go on. Until the
 * partition is split there, Postgres refuses messages of that time or later. So `atMs` must be far in the future.
 */
export async function promiseBound(
  client: Client,
  last: Partition,
  atMs: number,
  waits: TableWaits,
): Promise<void> {
  const { table, name } = last;
  await changePartition(
    client,
    last,
    `ALTER TABLE ${name} DROP CONSTRAINT IF EXISTS ${BOUND},
       ADD CONSTRAINT ${BOUND} CHECK (${table.key} < ${boundOf(atMs)}) NOT VALID`,
    waits,
  );
  await client.query(`SET lock_timeout = ${waits.vacuumMs}`);
  await client.query(`ALTER TABLE ${name} VALIDATE CONSTRAINT ${BOUND}`);
}

/** Drops a partition with all its rows. */
export async function dropPartition(client: Client, partition: Partition, waits: TableWaits): Promise<void> {
  const { table, name } = partition;
  await changePartition(
    client,
    partition,
    `LOCK TABLE ONLY ${table.name} IN ACCESS EXCLUSIVE MODE; DROP TABLE ${name}`,
    waits,
  );
}

const BOUND = 'partition_bound';

/**
 * Runs the statements in one transaction, as the role that owns the table. So new partitions belong to that role too,
 * and its migrations can change them later. The statements must lock one table only. The statements of the services
 * lock several tables in different orders, so a transaction that locks two could deadlock with them.
 */
async function changePartition(
  client: Client,
  { table, name }: Partition,
  statements: string,
  { tableMs, vacuumMs }: TableWaits,
): Promise<void> {
  await client.query('BEGIN');
  try {
    await becomeOwner(client, table);
    await client.query(`SET LOCAL lock_timeout = ${vacuumMs}`);
    await client.query(`LOCK TABLE ${name} IN SHARE UPDATE EXCLUSIVE MODE`);
    await client.query(`SET LOCAL lock_timeout = ${tableMs}`);
    await client.query(statements);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // Postgres rolls back when a connection breaks
    throw error;
  }
}

async function becomeOwner(client: Client, table: PartitionedTable): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('SET LOCAL ROLE %I', pg_get_userbyid(relowner)) AS statement FROM pg_class WHERE oid = to_regclass($1)`,
    [table.name],
  );
  for (const { statement } of rows) await client.query(statement);
}

/** The storage settings of a table, which an operator may have changed. */
async function settingsOf(client: Client, table: string): Promise<string> {
  const { rows } = await client.query<{ settings: string | null }>(
    `SELECT array_to_string(reloptions, ', ') AS settings FROM pg_class WHERE oid = to_regclass($1)`,
    [table],
  );
  const settings = rows[0]?.settings ?? null;
  return settings === null ? '' : `WITH (${settings})`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
}

/** SQL for the smallest message id of a time. */
function boundOf(ms: number): string {
  if (ms === Number.NEGATIVE_INFINITY) return 'MINVALUE';
  const hex = ms.toString(16).padStart(12, '0');
  return `'${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000'`;
}

function msOfBound(bound: string | undefined): number {
  if (bound === 'MINVALUE') return Number.NEGATIVE_INFINITY;
  if (bound === 'MAXVALUE') return Number.POSITIVE_INFINITY;
  const hex = bound?.replaceAll(/['-]/g, '').slice(0, 12) ?? '';
  if (!/^[0-9a-f]{12}$/.test(hex))
    throw new Error(`a partition has a bound that is not a message id: ${bound}`);
  return Number.parseInt(hex, 16);
}
