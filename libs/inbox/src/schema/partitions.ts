import type { Client } from 'pg';

/** A table whose rows leave by time. */
export interface PartitionedTable {
  name: string;
  /** The message id whose time decides. */
  key: string;
  /** Beside the keys of the table as a whole, what each partition has. */
  ownKey: string;
}

/** A part of a table: the rows of messages of some days. */
export interface Partition {
  table: PartitionedTable;
  name: string;
  /** Ids of its messages begin at this time, in milliseconds; −∞ for the first. */
  fromMs: number;
  /** And end before this one; ∞ for the last. */
  toMs: number;
}

/** In the order in which old rows leave: an entry never leads to a message that is gone. */
export const PARTITIONED: readonly PartitionedTable[] = [
  { name: 'inbox_entry', key: 'message_id', ownKey: '(PRIMARY KEY (user_id, seq))' },
  { name: 'receipt', key: 'message_id', ownKey: '' },
  { name: 'message', key: 'id', ownKey: '' },
];

export const DAY_MS = 86_400_000;

/** How long a change of partitions waits for locks, in milliseconds. */
export interface TableWaits {
  /** For a whole table: everybody waits behind a statement that does. */
  readonly tableMs: number;
  /** For a vacuum, which holds up nobody else. An autovacuum gives way to who has waited for a second. */
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

/** True when nothing has a place in it yet. */
export async function isEmptyPartition(client: Client, { name }: Partition): Promise<boolean> {
  const { rows } = await client.query<{ is_empty: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ${name}) AS is_empty`,
  );
  return rows[0]?.is_empty === true;
}

/**
 * Ends the last partition at `atMs`, and adds one without an end behind it. What is in it has to be known to be older
 * (`promiseBound`), or little: it is looked at while everybody waits.
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
 * Has Postgres make sure, while messages come and go, that all of a partition is older than `atMs`. Until the partition
 * is split there, a message of that time or later is refused: it has to be far off.
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

/** Drops a partition and all that is in it, at once. */
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
 * Runs the statements in one transaction, as the role that owns the table: what they make belongs to it, so that its
 * migrations can go on with it. They lock one table only: statements of the services lock several, each in its own
 * order, and would wait in a circle for who takes two of them.
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
    await client.query('ROLLBACK').catch(() => undefined); // a connection that broke has rolled back
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

/** The storage settings of a table, as whoever runs it may have changed them. */
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

/** The least id of a time. */
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
    throw new Error(`a partition of messages has a bound of another kind: ${bound}`);
  return Number.parseInt(hex, 16);
}
