import { eventually, HANG_MS } from '@posthorn/testing';
import {
  fillInbox,
  idOfSql,
  newMessage,
  openInboxDatabase,
  openTestInbox,
  send,
  type TestInbox,
} from '../../test/inbox-fixture';
import { findMessage } from '../statements/find-message';
import { readEntries } from '../statements/read-entries';
import { recordReads } from '../statements/record-reads';
import { keepPartitions, type PartitionsWanted } from './keep-partitions';
import { TABLE_WAITS } from './partitions';

let inbox: TestInbox;

beforeEach(async () => {
  inbox = await openTestInbox();
});

afterEach(() => inbox.drop());

const DAY_MS = 86_400_000;
/** One time for all, also where a test runs past midnight. */
const NOW_MS = Date.now();
const TODAY_MS = Math.floor(NOW_MS / DAY_MS) * DAY_MS;
/** Waits for locks as long as it takes. */
const PATIENT_TABLES = { tableMs: HANG_MS, vacuumMs: HANG_MS };
const keep = (wanted: PartitionsWanted) =>
  keepPartitions(inbox.db, { nowMs: NOW_MS, waits: PATIENT_TABLES, ...wanted });
const NOTHING = { added: 0, dropped: 0, overdue: 0, fault: null };

/** The bounds of the partitions of a table, as whole days from today, oldest first. */
async function boundsOf(table: string): Promise<[number, number][]> {
  const rows = await inbox.database.query<{ bounds: string }>(
    `SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds
     FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = $1::regclass`,
    [table],
  );
  const dayOf = (bound = ''): number => {
    if (bound === 'MINVALUE') return Number.NEGATIVE_INFINITY;
    if (bound === 'MAXVALUE') return Number.POSITIVE_INFINITY;
    expect(bound).toMatch(/^'[0-9a-f]{8}-[0-9a-f]{4}-0000-0000-000000000000'$/);
    return Number.parseInt(bound.slice(1, 14).replace('-', ''), 16) / DAY_MS - TODAY_MS / DAY_MS;
  };
  return rows
    .map(({ bounds }): [number, number] => {
      const [, from, to] = /FROM \((.*)\) TO \((.*)\)/.exec(bounds) ?? [];
      return [dayOf(from), dayOf(to)];
    })
    .sort(([a], [b]) => a - b);
}

async function allBounds(): Promise<[number, number][]> {
  const [first, ...others] = await Promise.all(
    ['message', 'inbox_entry', 'receipt'].map((table) => boundsOf(table)),
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

test('an empty database gets its next partitions a week ahead, once, with the keys that the statements need', async () => {
  expect(await keep({ retentionDays: null })).toEqual({ ...NOTHING, added: 6 });
  expect(await allBounds()).toEqual([
    [-ever, 1],
    [1, 91],
    [91, ever],
  ]);
  expect(await keep({ retentionDays: null })).toEqual(NOTHING);
  await fillInbox(inbox.db, 'bob', 2);
  expect(await seqsOfBob()).toEqual({ seqs: [1, 2], skipped: [] });
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

test('one with messages is ended a month ahead, keeps its rows and its settings, and is looked through before everybody waits for it', async () => {
  await inbox.database.query('ALTER TABLE inbox_entry_from_start SET (autovacuum_enabled = off)');
  const [id = ''] = await fillInbox(inbox.db, 'bob', 3);
  await inbox.database.query(`
    CREATE TABLE done (nth serial, statement text);
    CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO done (statement) VALUES (current_query()); END $$;
    CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION note()`);
  expect(await keep({ retentionDays: 30 })).toEqual({ ...NOTHING, added: 3 });
  const rows = await inbox.database.query<{ what: string }>(
    `SELECT (regexp_match(statement, 'VALIDATE|ATTACH'))[1] AS what FROM done
     WHERE statement ~ 'VALIDATE|ATTACH' AND statement ~ 'message_from_start' GROUP BY 1 ORDER BY min(nth)`,
  );
  expect(rows.map(({ what }) => what)).toEqual(['VALIDATE', 'ATTACH']);
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

test('time goes on: partitions of an eighth of the retention, and each is dropped when all of it is old enough', async () => {
  const onDay = (day: number): Promise<object> => keep({ retentionDays: 16, nowMs: TODAY_MS + day * DAY_MS });
  expect(await onDay(-24)).toEqual({ ...NOTHING, added: 15 });
  expect(await onDay(-14)).toEqual({ ...NOTHING, added: 15 });
  expect(await onDay(-7)).toEqual({ ...NOTHING, added: 9, dropped: 3 });
  expect((await allBounds())[0]).toEqual([-24, -22]);
  expect(await onDay(-6)).toEqual({ ...NOTHING, added: 3 });
  expect(await onDay(-5)).toEqual({ ...NOTHING, dropped: 3 });
  const kept = await allBounds();
  expect(kept[0]).toEqual([-22, -20]);
  expect(kept.slice(0, -1).every(([from, to]) => to - from === 2)).toBe(true);
  expect(kept.at(-1)).toEqual([2, ever]);
  for (const [index, [from]] of kept.entries()) if (index > 0) expect(from).toBe(kept[index - 1]?.[1]);
});

test('what is dropped is gone from everywhere, and what is younger than the retention stays', async () => {
  for (const day of [-45, -33]) await keep({ retentionDays: 30, nowMs: TODAY_MS + day * DAY_MS });
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
  expect(await keep({ retentionDays: 80, waits: TABLE_WAITS })).toMatchObject({
    added: 4,
    overdue: 1,
    fault: expect.any(Error),
  });
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
    await expect(keepPartitions(inbox.db, { retentionDays: 2 })).rejects.toThrow(
      /the clock is 2400 hours off/,
    );
  } finally {
    clock.mockRestore();
  }
  expect((await seqsOfBob()).seqs).toEqual([1]);
});

test('several at once: one does it, and the others find nothing to do', async () => {
  const others = [1, 2, 3, 4].map(() => inbox.openAnother());
  const kept = await Promise.all(
    others.map((db) => keepPartitions(db, { retentionDays: 80, waits: PATIENT_TABLES })),
  );
  expect(kept.reduce((sum, { added }) => sum + added, 0)).toBe(6);
  expect(kept.map(({ fault }) => fault)).toEqual([null, null, null, null]);
  expect(await allBounds()).toHaveLength(3);
});

test('a table that something long holds is given up soon, which says so; the next call does it', async () => {
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query('SELECT FROM inbox_entry');
  expect(await keep({ retentionDays: null, waits: TABLE_WAITS })).toEqual({
    ...NOTHING,
    overdue: 3,
    fault: expect.objectContaining({ message: expect.stringContaining('lock timeout') }),
  });
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
  const keeping = keep({ retentionDays: null, waits: { ...PATIENT_TABLES, tableMs: TABLE_WAITS.tableMs } });
  await inbox.whenWaiting(1);
  await send(inbox.db, newMessage('bob'));
  await session.query('COMMIT');
  expect(await keeping).toMatchObject({ added: 3, fault: null });
});

test('a role that does not own the tables is told, and makes partitions for the owner once it is a member of it', async () => {
  const role = `guest_${process.pid}`;
  await inbox.database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'guest'`);
  const url = new URL(inbox.database.url);
  url.username = role;
  url.password = 'guest';
  const guest = openInboxDatabase(url.href);
  try {
    const keepAsGuest = () => keepPartitions(guest, { retentionDays: null, waits: PATIENT_TABLES });
    await inbox.database.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
    expect(await keepAsGuest()).toEqual({
      ...NOTHING,
      overdue: 3,
      fault: expect.objectContaining({ message: expect.stringMatching(/permission denied/) }),
    });
    expect(await allBounds()).toEqual([[-ever, ever]]);

    await inbox.database.query(`DO $$ BEGIN EXECUTE format('GRANT %I TO ${role}', current_user); END $$`);
    await fillInbox(inbox.db, 'bob', 1);
    expect(await keepAsGuest()).toEqual({ ...NOTHING, added: 3 });
    const owners = await inbox.database.query(
      `SELECT DISTINCT pg_get_userbyid(relowner) = current_user AS is_ours FROM pg_class WHERE relispartition`,
    );
    expect(owners).toEqual([{ is_ours: true }]);
  } finally {
    await guest.close();
    await inbox.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('messages come and go while partitions are made and dropped', async () => {
  // The first three are old, and the last one is in use.
  await keep({ retentionDays: 30, nowMs: NOW_MS - 60 * DAY_MS });
  const stop = new AbortController();
  const ids: string[] = [];
  const sending = (async () => {
    while (!stop.signal.aborted) ids.push((await send(inbox.db, newMessage('bob'))).message.id);
  })();
  const reading = (async () => {
    while (!stop.signal.aborted) expect((await seqsOfBob()).skipped).toEqual([]);
  })();
  const whenMore = async (): Promise<void> => {
    const before = ids.length;
    await eventually('more messages', () => ids.length > before + 5);
  };
  try {
    await whenMore();
    expect(await keep({ retentionDays: 30 })).toEqual({ ...NOTHING, added: 3, dropped: 9 });
    await whenMore();
    expect(await keep({ retentionDays: 30, nowMs: NOW_MS + 25 * DAY_MS })).toEqual({ ...NOTHING, added: 3 });
    await whenMore();
  } finally {
    stop.abort();
  }
  await sending;
  await reading;
  const [page] = await readEntries(inbox.db, [{ user: 'bob', after: 0, limit: 100_000 }]);
  expect(page?.items.map(({ message }) => message.id)).toEqual(ids);
});
