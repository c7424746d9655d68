import { createHash } from 'node:crypto';
import { createTestDatabase, eventually, type TestDatabase } from '@posthorn/testing';
import { Client } from 'pg';
import {
  type AcceptedMessage,
  type AcceptOutcome,
  acceptMessages,
  type ClaimedDevice,
  claimDevices,
  InboxDatabase,
  LockedLane,
  locksOfSend,
  type NewMessage,
} from '../src';

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
  drop(): Promise<void>;
}

/** Opens one; `drop` closes all that was opened through it. */
export async function openTestInbox(): Promise<TestInbox> {
  const database = await createTestDatabase();
  const opened: InboxDatabase[] = [];
  const sessions: Client[] = [];
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
    drop: async () => {
      await Promise.all(sessions.map((session) => session.end()));
      await Promise.all(opened.map((db) => db.close()));
      await database.drop();
    },
  };
}

/** An InboxDatabase whose log goes nowhere. */
export function openInboxDatabase(url: string): InboxDatabase {
  return InboxDatabase.open({ url, log: { warn: () => undefined } });
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
): Promise<(AcceptOutcome | Error)[]> {
  const lane = new LockedLane<NewMessage, AcceptOutcome>({
    run: (some, lock) => acceptMessages(db, some, lock),
    locksOf: locksOfSend,
    maxWaiting: sends.length,
    concurrency: 1,
  });
  const first = acceptMessages(db, sends);
  const settle = async (message: NewMessage, index: number): Promise<AcceptOutcome | Error> => {
    const submit = async (): Promise<AcceptOutcome> => {
      const outcome = (await first)[index] ?? new Error('no outcome');
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    return await lane.around(message, submit).catch((error: Error) => error);
  };
  return await Promise.all(sends.map(settle));
}

/** Accepts one message. */
export async function send(db: InboxDatabase, message: NewMessage): Promise<AcceptedMessage> {
  const [outcome] = await acceptPatiently(db, [message]);
  return accepted(outcome);
}

/** Accepts messages to one user, in order; returns their ids. */
export async function fillInbox(db: InboxDatabase, user: string, count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, index) => newMessage(user, { text: `${index + 1}` }));
  return (await acceptMessages(db, messages)).map((outcome) => accepted(outcome).message.id);
}

/** Claims one device. */
export async function claim(
  db: InboxDatabase,
  user: string,
  device = 'phone',
  gateway = 'g1',
  holders: readonly string[] | null = null,
): Promise<ClaimedDevice> {
  const [claimed] = await claimDevices(db, [{ user, device, gateway, holders }]);
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
