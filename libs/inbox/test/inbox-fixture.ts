import { createHash } from 'node:crypto';
import { createTestDatabase, eventually, HANG_MS, type TestDatabase } from '@posthorn/testing';
import { Client } from 'pg';
import {
  type AcceptedMessage,
  type AcceptOutcome,
  acceptMessages,
  type ClaimedDevice,
  claimDevices,
  GroupCommit,
  InboxDatabase,
  locksOfSend,
  type NewMessage,
} from '../src';
import type { LockWaits } from '../src/commit/lock-wait';
import type { DatabaseWaits } from '../src/database/database-waits';
import { runMigrations } from '../src/schema/run-migrations';

/** A database that only a test that hangs gives up: no verdict depends on how fast the machine is. */
const PATIENT_WAITS: DatabaseWaits = {
  connectMs: HANG_MS,
  lockMs: HANG_MS,
  statementMs: HANG_MS,
  queryMs: HANG_MS,
};
/** Of a statement that gets its locks, however long that takes. */
export const PATIENT_MS = HANG_MS;
/** Of batches that do. */
export const PATIENT: LockWaits = {
  sharedMs: HANG_MS,
  partMs: HANG_MS,
  lockedMs: HANG_MS,
  splitMs: HANG_MS,
  laneMs: HANG_MS,
};
/** Of batches that do not wait for a lock, but have all the time to find who does. */
export const BRIEF: LockWaits = { sharedMs: 50, partMs: 20, lockedMs: 50, splitMs: HANG_MS, laneMs: 200 };

/** A migrated database of the test file's own, and an InboxDatabase on it. */
export interface TestInbox {
  readonly database: TestDatabase;
  readonly db: InboxDatabase;
  /** Another pool on the same database, as another process has it. */
  openAnother(): InboxDatabase;
  /** A connection for a transaction that the test keeps open. */
  openSession(): Promise<Client>;
  /** Resolves once this many statements of ours wait for a lock. */
  whenWaiting(count: number): Promise<void>;
  /** Has each row that is inserted into a table take so long, so that statements that run at once meet. */
  slowInserts(table: string, ms: number): Promise<void>;
  /** How many deadlocks Postgres has broken here. Closes what was opened: each connection tells of its own at its end. */
  countDeadlocks(): Promise<number>;
  drop(): Promise<void>;
}

/** Opens one; `drop` closes all that was opened through it. */
export async function openTestInbox(): Promise<TestInbox> {
  const database = await createTestDatabase();
  const opened: InboxDatabase[] = [];
  const sessions: Client[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sessions.splice(0).map((session) => session.end()));
    await Promise.all(opened.splice(0).map((db) => db.close()));
  };
  const openAnother = (): InboxDatabase => {
    const db = openInboxDatabase(database.url);
    opened.push(db);
    return db;
  };
  return {
    database,
    db: openAnother(),
    openAnother,
    openSession: async () => {
      const session = new Client({ connectionString: database.url });
      session.on('error', () => undefined); // a test that fails leaves it to the drop of the database
      await session.connect();
      sessions.push(session);
      return session;
    },
    whenWaiting: async (count) => {
      await eventually(`${count} waiting statements`, async () => {
        const rows = await database.query(
          `SELECT pid FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'posthorn' AND wait_event_type = 'Lock'`,
        );
        return rows.length === count;
      });
    },
    slowInserts: async (table, ms) => {
      await database.query(`
        CREATE FUNCTION slow_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(${ms / 1_000}); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION slow_${table}()`);
    },
    countDeadlocks: async () => {
      await close();
      const [row] = await database.query<{ deadlocks: string }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(row?.deadlocks);
    },
    drop: async () => {
      await close();
      await database.drop();
    },
  };
}

/** An InboxDatabase whose log goes nowhere. */
export function openInboxDatabase(
  url: string,
  more: { waits?: DatabaseWaits; poolSize?: number } = {},
): InboxDatabase {
  return InboxDatabase.open({ url, log: { warn: () => undefined }, waits: PATIENT_WAITS, ...more });
}

/** Runs `pnpm migrate` in this process, and throws with its words when that fails. */
export async function migrate(
  { url }: { url: string },
  args: readonly string[] = [],
  lockTimeoutMs = HANG_MS,
): Promise<void> {
  let said = '';
  const output = { write: (text: string) => void (said += text) };
  const code = await runMigrations(
    args,
    { DATABASE_URL: url },
    { stdout: output, stderr: output, lockTimeoutMs },
  );
  if (code !== 0) throw new Error(said);
}

/** A message from alice with this text, unless told otherwise. */
export function newMessage(to: string | readonly string[], more: Partial<NewMessage> = {}): NewMessage {
  return { sender: 'alice', to: typeof to === 'string' ? [to] : to, text: 'hello', ...more };
}

/** What a request with this key and body brings along. */
export function idempotency(key: string, body = 'body'): { key: string; bodyHash: Buffer } {
  return { key, bodyHash: createHash('sha256').update(body).digest() };
}

/** The outcome, which must be an accepted message. */
export function accepted(outcome: AcceptOutcome | Error | undefined): AcceptedMessage {
  if (outcome instanceof Error) throw outcome;
  if (outcome?.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Accepts a batch as send-api does: who needs a locked row goes on waiting for it. */
export async function acceptPatiently(
  db: InboxDatabase,
  sends: readonly NewMessage[],
  waits = PATIENT,
): Promise<(AcceptOutcome | Error)[]> {
  const commits = new GroupCommit<NewMessage, AcceptOutcome>({
    name: 'sends',
    maxBatch: sends.length,
    maxPending: sends.length,
    commitBatch: (some, lock) => acceptMessages(db, some, lock, waits),
    locksOf: locksOfSend,
    maxLocked: sends.length,
    waits,
  });
  return await Promise.all(sends.map((message) => commits.add(message).catch((error: Error) => error)));
}

/** Accepts one message. */
export async function send(db: InboxDatabase, message: NewMessage): Promise<AcceptedMessage> {
  const [outcome] = await acceptPatiently(db, [message]);
  return accepted(outcome);
}

/** Accepts messages to one user, in order; returns their ids. */
export async function fillInbox(db: InboxDatabase, user: string, count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, index) => newMessage(user, { text: `${index + 1}` }));
  return (await acceptMessages(db, messages, null, PATIENT)).map((outcome) => accepted(outcome).message.id);
}

/** Claims one device. */
export async function claim(
  db: InboxDatabase,
  user: string,
  device = 'phone',
  gateway = 'g1',
  holders: readonly string[] | null = null,
): Promise<ClaimedDevice> {
  const [claimed] = await claimDevices(db, [{ user, device, gateway, holders }], PATIENT_MS);
  if (claimed === undefined) throw new Error('no claim');
  return claimed;
}

/** The epoch of the inboxes now. */
export async function epochOf(inbox: TestInbox): Promise<string> {
  const [row] = await inbox.database.query<{ epoch: string }>('SELECT epoch FROM epoch');
  return row?.epoch ?? '';
}

/** The inbox as it is stored: message ids by position. */
export async function storedEntries(
  inbox: TestInbox,
  user: string,
): Promise<{ seq: number; messageId: string }[]> {
  const rows = await inbox.database.query<{ seq: string; message_id: string }>(
    'SELECT seq, message_id FROM inbox_entry WHERE user_id = $1 ORDER BY seq',
    [user],
  );
  return rows.map((row) => ({ seq: Number(row.seq), messageId: row.message_id }));
}

/** The gateway that holds a device's connection, or null. */
export async function holderOf(inbox: TestInbox, user: string, device: string): Promise<string | null> {
  const [row] = await inbox.database.query<{ gateway: string | null }>(
    'SELECT gateway FROM device WHERE user_id = $1 AND device = $2',
    [user, device],
  );
  return row?.gateway ?? null;
}

/** 1, 2, 3 … */
export function countTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** SQL for an id as send-api makes it: of the time of the expression `at`. */
export function idOfSql(at: string): string {
  return `overlay(gen_random_uuid()::text placing
    regexp_replace(lpad(to_hex((extract(epoch FROM ${at}) * 1000)::bigint), 12, '0'), '^(.{8})', '\\1-') from 1 for 13)::uuid`;
}
