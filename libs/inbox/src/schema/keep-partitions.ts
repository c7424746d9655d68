import type { Client } from 'pg';
import { clockMsSql, faultOfClock } from '../database/clock';
import type { InboxDatabase } from '../database/database';
import { OutageError } from '../database/outage';
import {
  DAY_MS,
  dropPartition,
  isEmptyPartition,
  listPartitions,
  PARTITIONED,
  type Partition,
  promiseBound,
  splitPartition,
  TABLE_WAITS,
  type TableWaits,
} from './partitions';

/** What the partitions are kept for. */
export interface PartitionsWanted {
  /** Messages stay for this many days at least; null: for ever. */
  retentionDays: number | null;
  /** Now, where that is not what Postgres says. */
  nowMs?: number;
  /** How long is waited for locks, unless it is the usual time. */
  waits?: TableWaits;
  /** Ends what takes long. */
  signal?: AbortSignal;
}

/** What was done for it. A partition is one table: a time has one each of entries, receipts and messages. */
export interface PartitionsKept {
  added: number;
  dropped: number;
  /** Partitions that are due to be added or dropped still; another process may be at it. */
  overdue: number;
  /** Why the rest was not done. */
  fault: Error | null;
}

/** Only one process at a time; any number that nothing else in the database takes. */
const PARTITIONS_LOCK = 7_407_408;
/** A partition is there this long before its first message: an empty one is divided at no cost. */
const LEAD_DAYS = 7;
/** One with messages ends so far off that there is time to try again, where dividing it fails. */
const FILLED_LEAD_DAYS = 30;
/** Without a retention there are partitions all the same, so that it can be turned on later. */
const DAYS_FOR_EVER = 90;
/** With one, what is kept beyond it is an eighth of it at most. */
const PARTS_OF_RETENTION = 8;
/** The time in a message's id is at most this far from its commit (`message_id_time_check`). */
const CLOCKS_DAYS = 1;

/**
 * Adds partitions of messages before they are needed, and drops those all of whose messages are older than the
 * retention. Reads and writes wait for it a fraction of a second at most; what cannot be done in that time is done at
 * the next call. The role has to own the tables.
 * @throws OutageError when Postgres is out of reach
 */
export async function keepPartitions(db: InboxDatabase, wanted: PartitionsWanted): Promise<PartitionsKept> {
  return await db.maintain(async (client) => {
    const nowMs = wanted.nowMs ?? (await readClock(client));
    const kept: PartitionsKept = { added: 0, dropped: 0, overdue: 0, fault: null };
    if (await isAlone(client)) {
      try {
        await addMissing(client, wanted, nowMs, kept);
        await dropOld(client, wanted, nowMs, kept);
      } catch (error) {
        kept.fault = error instanceof Error ? error : new Error(String(error));
      }
    }
    for (const table of PARTITIONED) {
      const partitions = await listPartitions(client, table);
      kept.overdue +=
        Number(isShort(partitions, nowMs)) + oldOf(partitions, wanted.retentionDays, nowMs).length;
    }
    return kept;
  }, wanted.signal);
}

async function addMissing(
  client: Client,
  { retentionDays, waits = TABLE_WAITS }: PartitionsWanted,
  nowMs: number,
  kept: PartitionsKept,
): Promise<void> {
  const isFilled = await holdsMessages(client);
  const earliest = isFilled ? nowMs + FILLED_LEAD_DAYS * DAY_MS : nowMs;
  for (const table of PARTITIONED) {
    let partitions = await listPartitions(client, table);
    for (; isShort(partitions, nowMs); partitions = await listPartitions(client, table)) {
      const last = partitions.at(-1);
      if (last === undefined) break;
      const atMs = Math.ceil(Math.max(last.fromMs + widthOf(retentionDays), earliest) / DAY_MS) * DAY_MS;
      if (isFilled) await promiseBound(client, last, atMs, waits);
      await splitPartition(client, last, atMs, waits);
      kept.added++;
    }
  }
}

async function dropOld(
  client: Client,
  { retentionDays, waits = TABLE_WAITS }: PartitionsWanted,
  nowMs: number,
  kept: PartitionsKept,
): Promise<void> {
  for (const table of PARTITIONED) {
    for (const old of oldOf(await listPartitions(client, table), retentionDays, nowMs)) {
      await dropPartition(client, old, waits);
      kept.dropped++;
    }
  }
}

/** True when one of the last partitions does: all are ended at the same time, so that they leave together. */
async function holdsMessages(client: Client): Promise<boolean> {
  for (const table of PARTITIONED) {
    const last = (await listPartitions(client, table)).at(-1);
    if (last !== undefined && !(await isEmptyPartition(client, last))) return true;
  }
  return false;
}

/** The last partition, which has no end, would soon be written to. */
function isShort(partitions: readonly Partition[], nowMs: number): boolean {
  const last = partitions.at(-1);
  return last !== undefined && last.fromMs < nowMs + LEAD_DAYS * DAY_MS;
}

function oldOf(partitions: readonly Partition[], retentionDays: number | null, nowMs: number): Partition[] {
  if (retentionDays === null) return [];
  return partitions.filter(({ toMs }) => toMs <= nowMs - (retentionDays + CLOCKS_DAYS) * DAY_MS);
}

function widthOf(retentionDays: number | null): number {
  return (retentionDays === null ? DAYS_FOR_EVER : Math.ceil(retentionDays / PARTS_OF_RETENTION)) * DAY_MS;
}

/** A clock that is wrong would drop what is young. @throws OutageError where ours does not agree */
async function readClock(client: Client): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(`SELECT ${clockMsSql} AS ms`);
  const ms = rows[0]?.ms ?? 0;
  const fault = faultOfClock(ms);
  if (fault !== null) throw new OutageError(fault);
  return ms;
}

/** The lock ends with the connection. */
async function isAlone(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ is_alone: boolean }>('SELECT pg_try_advisory_lock($1) AS is_alone', [
    PARTITIONS_LOCK,
  ]);
  return rows[0]?.is_alone === true;
}
