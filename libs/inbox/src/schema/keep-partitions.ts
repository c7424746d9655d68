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

/** How long messages are kept, and how long the work may take. */
export interface PartitionsWanted {
  /** Messages are kept for at least this many days; null means forever. */
  retentionDays: number | null;
  /** The current time, in milliseconds since 1970. By default it is the time of Postgres. */
  nowMs?: number;
  /** How long to wait for locks; by default `TABLE_WAITS`. */
  waits?: TableWaits;
  /** Cancels the work. */
  signal?: AbortSignal;
}

/** What was done. Each partition counts by itself: a time has one of entries, one of receipts and one of messages. */
export interface PartitionsKept {
  added: number;
  dropped: number;
  /** Partitions that are still due to be added or dropped. Another process may be working on them. */
  overdue: number;
  /** Why the work stopped early; null if it did not. */
  fault: Error | null;
}

/** The advisory lock for one process at a time. Any number will do that nothing else in the database uses. */
const PARTITIONS_LOCK = 7_407_408;
/** A partition is added this many days before its first message. Splitting the last one is cheap while it is empty. */
const LEAD_DAYS = 7;
/** If the last partition holds messages, it is split this many days ahead, so that there is time to try again. */
const FILLED_LEAD_DAYS = 30;
/** Days in one partition without a retention. There are partitions anyway, so that a retention can be set later. */
const DAYS_FOR_EVER = 90;
/** With a retention, a partition covers an eighth of it, in whole days. Messages are kept longer by that and a day. */
const PARTS_OF_RETENTION = 8;
/** The time in a message's id differs from its commit by at most this many days (`message_id_time_check`). */
const CLOCKS_DAYS = 1;

/**
 * Adds partitions before they are needed, and drops partitions whose messages are all older than the retention. Reads
 * and writes wait for it a fraction of a second at most. Work that does not get its locks in that time is left to the
 * next call. The database role must be the owner of the tables, or a member of the owner.
 * @throws OutageError when Postgres is unreachable, or when our clock is about 12 hours or more off that of Postgres
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

/**
 * True when the last partition of any table has rows. All tables are split at the same time, so they decide together.
 */
async function holdsMessages(client: Client): Promise<boolean> {
  for (const table of PARTITIONED) {
    const last = (await listPartitions(client, table)).at(-1);
    if (last !== undefined && !(await isEmptyPartition(client, last))) return true;
  }
  return false;
}

/** True when the last partition, which has no end, would soon be written to. */
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

/**
 * Reads the time of Postgres. With a wrong clock we would drop young messages.
 * @throws OutageError when our clock does not agree
 */
async function readClock(client: Client): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(`SELECT ${clockMsSql} AS ms`);
  const ms = rows[0]?.ms ?? 0;
  const fault = faultOfClock(ms);
  if (fault !== null) throw new OutageError(fault);
  return ms;
}

/** Tries the advisory lock, and is true when no other process has it. The lock ends with the connection. */
async function isAlone(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ is_alone: boolean }>('SELECT pg_try_advisory_lock($1) AS is_alone', [
    PARTITIONS_LOCK,
  ]);
  return rows[0]?.is_alone === true;
}
