import { FaultProxy } from '@posthorn/testing';
import {
  fillInbox,
  idOfSql,
  newMessage,
  openInboxDatabase,
  openTestInbox,
  send,
  type TestInbox,
} from '../test/inbox-fixture';
import type { InboxDatabase } from './database';
import { findMessage } from './find-message';
import { keepPartitions, type PartitionsWanted } from './keep-partitions';
import { OutageError } from './outage';
import { readEntries } from './read-entries';
import { recordReads } from './record-reads';

let inbox: TestInbox;

beforeEach(async () => {
  inbox = await openTestInbox();
});

afterEach(() => inbox.drop());

const DAY_MS = 86_400_000;
const keep = (wanted: PartitionsWanted) => keepPartitions(inbox.db, wanted);
const NOTHING = { added: 0, dropped: 0, overdue: 0, fault: null };

/** The bounds of the partitions of a table, as whole days from today, oldest first. */
async function boundsOf(table: string, nowMs = Date.now()): Promise<[number, number][]> {
  const rows = await inbox.database.query<{ bounds: string }>(
    `SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds
     FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = $1::regclass`,
    [table],
  );
  const dayOf = (bound = ''): number => {
    if (bound === 'MINVALUE') return Number.NEGATIVE_INFINITY;
    if (bound === 'MAXVALUE') return Number.POSITIVE_INFINITY;
    expect(bound).toMatch(/^'[0-9a-f]{8}-[0-9a-f]{4}-0000-0000-000000000000'$/);
    return Number.parseInt(bound.slice(1, 14).replace('-', ''), 16) / DAY_MS - Math.floor(nowMs / DAY_MS);
  };
  return rows
    .map(({ bounds }): [number, number] => {
      const [, from, to] = /FROM \((.*)\) TO \((.*)\)/.exec(bounds) ?? [];
      return [dayOf(from), dayOf(to)];
    })
    .sort(([a], [b]) => a - b);
}

async function allBounds(nowMs?: number): Promise<[number, number][]> {
  const [first, ...others] = await Promise.all(
    ['message', 'inbox_entry', 'receipt'].map((table) => boundsOf(table, nowMs)),
  );
  for (const other of others) expect(other).toEqual(first);
  return first ?? [];
}

/** A message to bob of so many days ago, as the send path of then made it; returns its id. */
async function sendBefore(days: number): Promise<string> {
  const at = `now() - interval '${days} days'`;
  const [row] = await inbox.database.query<{ id: string }>(
    `WITH m AS (
       INSERT INTO message (id, sender, recipients, text, created_at)
       SELECT ${idOfSql(at)}, 'alice', '{bob}', 'old', ${at} RETURNING id
     ), i AS (
       INSERT INTO inbox VALUES ('bob', 1) ON CONFLICT (user_id) DO UPDATE SET newest_seq = inbox.newest_seq + 1 RETURNING newest_seq
     ), r AS (INSERT INTO receipt SELECT id, 'bob', ${at} FROM m)
     INSERT INTO inbox_entry SELECT 'bob', newest_seq, id FROM i, m RETURNING message_id AS id`,
  );
  return row?.id ?? '';
}

async function seqsOfBob(): Promise<{ seqs: number[] | undefined; skipped: object | undefined }> {
  const [page] = await readEntries(inbox.db, [{ user: 'bob', after: 0, limit: 100 }]);
  return { seqs: page?.items.map(({ seq }) => seq), skipped: page?.skipped };
}

const ever = Number.POSITIVE_INFINITY;

test('an empty database gets its next partitions a week ahead, once', async () => {
  expect(await keep({ retentionDays: null })).toEqual({ ...NOTHING, added: 6 });
  expect(await allBounds()).toEqual([
    [-ever, 1],
    [1, 91],
    [91, ever],
  ]);
  expect(await keep({ retentionDays: null })).toEqual(NOTHING);
  await fillInbox(inbox.db, 'bob', 2);
  expect(await seqsOfBob()).toEqual({ seqs: [1, 2], skipped: [] });
});

test('one with messages is ended a month ahead, and keeps its rows and its settings', async () => {
  await inbox.database.query('ALTER TABLE inbox_entry_from_start SET (autovacuum_enabled = off)');
  const [id = ''] = await fillInbox(inbox.db, 'bob', 3);
  expect(await keep({ retentionDays: 30 })).toEqual({ ...NOTHING, added: 3 });
  expect(await allBounds()).toEqual([
    [-ever, 31],
    [31, ever],
  ]);
  expect(await seqsOfBob()).toEqual({ seqs: [1, 2, 3], skipped: [] });
  expect(await findMessage(inbox.db, id, 'alice')).not.toBeNull();
  const settings = await inbox.database.query(
    `SELECT regexp_replace(relname, '_from_.*', '') AS name, array_agg(DISTINCT reloptions::text) AS settings FROM pg_class
     WHERE relispartition AND relkind = 'r' GROUP BY 1 ORDER BY 1`,
  );
  expect(settings).toEqual([
    { name: 'inbox_entry', settings: ['{autovacuum_enabled=off}'] },
    { name: 'message', settings: [null] },
    { name: 'receipt', settings: ['{fillfactor=80}'] },
  ]);
  // What promised the end has gone.
  const checks = await inbox.database.query(`SELECT FROM pg_constraint WHERE conname = 'partition_bound'`);
  expect(checks).toEqual([]);
});

test('one with messages is looked through before everybody waits for it, not meanwhile', async () => {
  await fillInbox(inbox.db, 'bob', 1);
  await inbox.database.query(`
    CREATE TABLE done (nth serial, statement text);
    CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO done (statement) VALUES (current_query()); END $$;
    CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION note()`);
  await keep({ retentionDays: null });
  const rows = await inbox.database.query<{ what: string }>(
    `SELECT (regexp_match(statement, 'VALIDATE|ATTACH'))[1] AS what FROM done
     WHERE statement ~ 'VALIDATE|ATTACH' AND statement ~ 'message_from_start' GROUP BY 1 ORDER BY min(nth)`,
  );
  expect(rows.map(({ what }) => what)).toEqual(['VALIDATE', 'ATTACH']);
});

test('each partition has the keys that the statements need', async () => {
  await keep({ retentionDays: null });
  const keys = await inbox.database.query(
    `SELECT regexp_replace(i.indrelid::regclass::text, '_from_.*', '') AS name, count(*)::int,
       array_agg(DISTINCT (SELECT string_agg(attname::text, ',' ORDER BY array_position(i.indkey::int[], attnum::int)) FROM pg_attribute
         WHERE attrelid = i.indrelid AND attnum = ANY (i.indkey))) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relispartition AND i.indisunique GROUP BY 1 ORDER BY 1`,
  );
  expect(keys).toEqual([
    { name: 'inbox_entry', count: 3, columns: ['user_id,seq'] },
    { name: 'message', count: 3, columns: ['id'] },
    { name: 'receipt', count: 3, columns: ['message_id,user_id'] },
  ]);
});

test('time goes on: partitions of an eighth of the retention, and each is dropped when all of it is old enough', async () => {
  const today = Math.floor(Date.now() / DAY_MS);
  const onDay = (day: number): Promise<object> => keep({ retentionDays: 16, nowMs: (today + day) * DAY_MS });
  expect(await onDay(-60)).toEqual({ ...NOTHING, added: 15 });
  for (let day = -59; day <= 0; day++) await onDay(day);
  const kept = await allBounds();
  expect([-16, -15]).toContain(kept[0]?.[1]);
  expect(kept.slice(1, -1).every(([from, to]) => to - from === 2)).toBe(true);
  expect(kept.at(-1)?.[0]).toBeGreaterThanOrEqual(7);
  expect(kept.at(-1)).toEqual([expect.any(Number), ever]);
  for (const [index, [from]] of kept.entries()) if (index > 0) expect(from).toBe(kept[index - 1]?.[1]);
});

test('what is dropped is gone from everywhere, and what is younger than the retention stays', async () => {
  const today = Math.floor(Date.now() / DAY_MS);
  for (let day = -90; day <= -30; day++) await keep({ retentionDays: 30, nowMs: (today + day) * DAY_MS });
  const ids = [];
  for (const days of [50, 40, 30.5, 29]) ids.push(await sendBefore(days));
  const { entries } = await send(inbox.db, newMessage('bob'));
  expect(entries).toEqual([{ user: 'bob', seq: 5 }]);
  expect(await keep({ retentionDays: 30 })).toMatchObject({
    overdue: 0,
    fault: null,
    dropped: expect.any(Number),
  });

  const found = await seqsOfBob();
  expect(found).toEqual({ seqs: [3, 4, 5], skipped: [{ from: 1, to: 2 }] });
  const isThere = await Promise.all(
    ids.map(async (id) => (await findMessage(inbox.db, id, 'alice')) !== null),
  );
  expect(isThere).toEqual([false, false, true, true]);
  const reads = await recordReads(
    inbox.db,
    ids.map((id) => ({ user: 'bob', ids: [id] })),
  );
  expect(reads.map(({ isKnown }) => isKnown)).toEqual(isThere);
  const receipts = await inbox.database.query<{ id: string }>('SELECT message_id AS id FROM receipt');
  expect(receipts.map(({ id }) => id).sort()).toEqual(ids.slice(2).sort());
  expect(await keep({ retentionDays: 30 })).toEqual(NOTHING);
});

test('a part that was done stays done: the next call does the rest', async () => {
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query('SELECT FROM message');
  expect(await keep({ retentionDays: 80 })).toMatchObject({ added: 4, overdue: 1, fault: expect.any(Error) });
  await session.query('COMMIT');
  expect(await keep({ retentionDays: 80 })).toEqual({ ...NOTHING, added: 2 });
  expect(await allBounds()).toEqual([
    [-ever, 1],
    [1, 11],
    [11, ever],
  ]);
});

test('without a retention nothing is dropped, however old', async () => {
  await keep({ retentionDays: 30, nowMs: Date.now() - 90 * DAY_MS });
  await sendBefore(100);
  await keep({ retentionDays: null });
  expect(await seqsOfBob()).toEqual({ seqs: [1], skipped: [] });
});

test('a clock that is wrong, ours or that of Postgres, drops nothing', async () => {
  await sendBefore(1);
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 100 * DAY_MS);
  try {
    await expect(keep({ retentionDays: 2 })).rejects.toThrow(/the clock is 2400 hours off/);
  } finally {
    clock.mockRestore();
  }
  expect((await seqsOfBob()).seqs).toEqual([1]);
});

test('several at once: one does it, and the others find nothing to do', async () => {
  const others = [1, 2, 3, 4].map(() => inbox.openAnother());
  const kept = await Promise.all(others.map((db) => keepPartitions(db, { retentionDays: 80 })));
  expect(kept.reduce((sum, { added }) => sum + added, 0)).toBe(6);
  expect(kept.map(({ fault }) => fault)).toEqual([null, null, null, null]);
  expect(await allBounds()).toHaveLength(3);
});

test('a table that something long holds is given up at once, which says so; the next call does it', async () => {
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query('SELECT FROM inbox_entry');
  const began = performance.now();
  expect(await keep({ retentionDays: null })).toEqual({
    ...NOTHING,
    overdue: 3,
    fault: expect.objectContaining({ message: expect.stringContaining('lock timeout') }),
  });
  expect(performance.now() - began).toBeLessThan(1_000);
  await send(inbox.db, newMessage('bob'));
  await session.query('COMMIT');
  expect(await keep({ retentionDays: null })).toMatchObject({ overdue: 0, fault: null });
});

test('who vacuums a partition is waited for, and nobody waits behind that', async () => {
  await fillInbox(inbox.db, 'bob', 50);
  // The lock of a vacuum: it keeps nobody from reading and writing.
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query('LOCK TABLE inbox_entry_from_start IN SHARE UPDATE EXCLUSIVE MODE');
  const keeping = keep({ retentionDays: null });
  await inbox.whenWaiting(1);
  const began = performance.now();
  await send(inbox.db, newMessage('bob'));
  expect(performance.now() - began).toBeLessThan(500);
  await session.query('COMMIT');
  expect(await keeping).toMatchObject({ added: 3, fault: null });
});

describe('a role that does not own the tables', () => {
  const role = `guest_${process.pid}`;
  let guest: InboxDatabase;
  beforeEach(async () => {
    await inbox.database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'guest'`);
    const url = new URL(inbox.database.url);
    url.username = role;
    url.password = 'guest';
    guest = openInboxDatabase(url.href);
  });
  afterEach(async () => {
    await guest.close();
    await inbox.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  test('is told, and nothing changes', async () => {
    await inbox.database.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
    expect(await keepPartitions(guest, { retentionDays: null })).toEqual({
      ...NOTHING,
      overdue: 3,
      fault: expect.objectContaining({ message: expect.stringMatching(/permission denied/) }),
    });
    expect(await allBounds()).toEqual([[-ever, ever]]);
  });

  test('makes partitions for the owner, if it is a member of it', async () => {
    await inbox.database.query(`DO $$ BEGIN EXECUTE format('GRANT %I TO ${role}', current_user); END $$`);
    await fillInbox(inbox.db, 'bob', 1);
    expect(await keepPartitions(guest, { retentionDays: null })).toEqual({ ...NOTHING, added: 3 });
    const owners = await inbox.database.query(
      `SELECT DISTINCT pg_get_userbyid(relowner) = current_user AS is_ours FROM pg_class WHERE relispartition`,
    );
    expect(owners).toEqual([{ is_ours: true }]);
  });
});

test('messages come and go while partitions are made and dropped', async () => {
  const stop = new AbortController();
  const sending = (async () => {
    const ids: string[] = [];
    while (!stop.signal.aborted) ids.push((await send(inbox.db, newMessage('bob'))).message.id);
    return ids;
  })();
  const reading = (async () => {
    while (!stop.signal.aborted) expect((await seqsOfBob()).skipped).toEqual([]);
  })();
  for (let day = 0; day <= 40; day += 4)
    expect(await keep({ retentionDays: null, nowMs: Date.now() + day * DAY_MS })).toMatchObject({
      fault: null,
    });
  stop.abort();
  const ids = await sending;
  await reading;
  const [page] = await readEntries(inbox.db, [{ user: 'bob', after: 0, limit: 100_000 }]);
  expect(page?.items.map(({ message }) => message.id)).toEqual(ids);
});

test('what takes long is given up when the service stops', async () => {
  const stop = new AbortController();
  const began = performance.now();
  const working = inbox.db.maintain((client) => client.query('SELECT pg_sleep(30)'), stop.signal);
  setTimeout(() => stop.abort(), 100);
  await expect(working).rejects.toThrow(/user request|terminated/);
  expect(performance.now() - began).toBeLessThan(5_000);
  await expect(inbox.db.maintain(async () => undefined, stop.signal)).rejects.toThrow(/abort/);
});

test('Postgres out of reach is an outage', async () => {
  const proxy = await FaultProxy.open(inbox.database.url);
  const db = openInboxDatabase(proxy.through(inbox.database.url));
  try {
    proxy.mode = 'reset';
    await expect(keepPartitions(db, { retentionDays: null })).rejects.toBeInstanceOf(OutageError);
  } finally {
    await db.close();
    await proxy.close();
  }
});

test('§2.4: a message whose id is of another day than its commit is refused, by a service that is not ready', async () => {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 2 * DAY_MS);
  try {
    await expect(send(inbox.db, newMessage('bob'))).rejects.toThrow(/the clock is a day or more off/);
    expect(await inbox.db.readiness()).toEqual({
      clock: expect.stringMatching(/^the clock is 48 hours off/),
    });
  } finally {
    clock.mockRestore();
  }
  expect((await send(inbox.db, newMessage('bob'))).entries).toEqual([{ user: 'bob', seq: 1 }]);
  expect(await inbox.db.readiness()).toBeNull();
});
