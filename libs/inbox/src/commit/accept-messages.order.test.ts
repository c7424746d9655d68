import { eventually, whenBlocked } from '@posthorn/testing';
import {
  accepted,
  acceptPatiently,
  claim,
  countTo,
  fillInbox,
  newMessage,
  openTestInbox,
  PATIENT_MS,
  send,
  storedEntries,
  type TestInbox,
} from '../../test/inbox-fixture';
import { OutageError } from '../database/outage';
import { commitSends } from '../statements/commit-sends';
import { readEntries } from '../statements/read-entries';
import { acceptMessages } from './accept-messages';
import { LOCK_WAITS } from './lock-wait';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
  // A message with the text "stall" has its positions and waits, before its commit, for whoever holds lock 1.
  await inbox.database.query(`
    CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      -- Not as one that waits for a lock: a statement of ours gives that up soon.
      WHILE NOT pg_try_advisory_xact_lock_shared(1) LOOP PERFORM pg_sleep(0.01); END LOOP;
      RETURN NULL;
    END $$`);
  await inbox.database.query(`
    CREATE TRIGGER stall AFTER INSERT ON message FOR EACH ROW WHEN (NEW.text = 'stall') EXECUTE FUNCTION stall()`);
});

afterAll(async () => {
  await inbox.drop();
});

test('§1: concurrent batches with the same recipients give each inbox a gapless seq, and no reader skips one', async () => {
  const users = ['u1', 'u2', 'u3', 'u4', 'u5'];
  const pools = [inbox.db, inbox.openAnother()];
  const [rounds, perBatch, writers] = [5, 6, 8];
  const write = async (writer: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let round = 0; round < rounds; round++) {
      // Every batch names the users in another order, and leaves another one out.
      const batch = countTo(perBatch).map((index) => {
        const turned = users.map((_, nth) => users[(nth + writer + index) % users.length] ?? '');
        return newMessage(index % 2 === 0 ? turned.slice(1) : turned.toReversed());
      });
      const outcomes = await acceptPatiently(pools[writer % 2] ?? inbox.db, batch);
      ids.push(...outcomes.map((outcome) => accepted(outcome).message.id));
    }
    return ids;
  };
  let isWriting = true;
  const follow = async (user: string): Promise<number[]> => {
    const seen: number[] = [];
    for (;;) {
      const isLast = !isWriting;
      const [page] = await readEntries(inbox.db, [{ user, after: seen.at(-1) ?? 0, limit: 500 }]);
      seen.push(...(page?.items ?? []).map(({ seq }) => seq));
      if (isLast) return seen;
    }
  };
  const readers = ['u1', 'u4'].map(follow);
  const ids = (await Promise.all(countTo(writers).map(write))).flat();
  isWriting = false;
  expect(new Set(ids).size).toBe(writers * rounds * perBatch);

  for (const user of users) {
    const entries = await storedEntries(inbox, user);
    expect(entries.map(({ seq }) => seq)).toEqual(countTo(entries.length));
    expect(new Set(entries.map(({ messageId }) => messageId)).size).toBe(entries.length);
    const [counter] = await inbox.database.query('SELECT newest_seq FROM inbox WHERE user_id = $1', [user]);
    expect(counter).toEqual({ newest_seq: String(entries.length) });
    const [sent] = await inbox.database.query<{ count: string }>(
      'SELECT count(*) FROM message WHERE $1 = ANY (recipients)',
      [user],
    );
    expect(sent).toEqual({ count: String(entries.length) });
  }
  for (const [index, seen] of (await Promise.all(readers)).entries()) {
    const entries = await storedEntries(inbox, ['u1', 'u4'][index] ?? '');
    expect(seen).toEqual(countTo(entries.length));
  }
});

test('§1: a message that stalls between its seq and its commit delays its recipients only, and nobody skips it', async () => {
  const session = await inbox.openSession();
  await session.query('SELECT pg_advisory_lock(1)');
  await fillInbox(inbox.db, 'slow', 1);
  const first = send(inbox.db, newMessage(['slow', 'bystander'], { text: 'stall' }));
  await whenStalled(inbox);
  const second = send(inbox.db, newMessage('slow', { text: 'after it' }));
  await inbox.whenWaiting(1);

  expect((await send(inbox.db, newMessage('elsewhere'))).entries).toEqual([{ user: 'elsewhere', seq: 1 }]);
  const [visible] = await readEntries(inbox.db, [{ user: 'slow', after: 0, limit: 9 }]);
  expect(visible?.items.map(({ seq }) => seq)).toEqual([1]);
  expect((await claim(inbox.db, 'slow')).newestSeq).toBe(1);

  await session.query('SELECT pg_advisory_unlock(1)');
  expect((await first).entries).toContainEqual({ user: 'slow', seq: 2 });
  expect((await second).entries).toEqual([{ user: 'slow', seq: 3 }]);
  const [all] = await readEntries(inbox.db, [{ user: 'slow', after: 1, limit: 9 }]);
  expect(all?.items.map(({ message }) => message.text)).toEqual(['stall', 'after it']);
});

test('§1: a message that stalled and was rolled back leaves no hole', async () => {
  const session = await inbox.openSession();
  await session.query('SELECT pg_advisory_lock(1)');
  await fillInbox(inbox.db, 'torn', 1);
  const lost = acceptMessages(inbox.db, [newMessage('torn', { text: 'stall' })]);
  const pid = await whenStalled(inbox);
  const next = send(inbox.db, newMessage('torn'));
  await inbox.whenWaiting(1);
  await inbox.database.query('SELECT pg_terminate_backend($1)', [pid]);
  const [outcome] = await lost;
  expect(outcome).toBeInstanceOf(OutageError);
  expect((await next).entries).toEqual([{ user: 'torn', seq: 2 }]);
  await session.query('SELECT pg_advisory_unlock(1)');
});

test('§1: a transaction of somebody else that holds a counter row delays its recipients only', async () => {
  await fillInbox(inbox.db, 'locked', 1);
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query(`SELECT * FROM inbox WHERE user_id = 'locked' FOR UPDATE`);
  const waiting = send(inbox.db, newMessage('locked'));
  await inbox.whenWaiting(1);
  expect((await send(inbox.db, newMessage('free'))).entries).toEqual([{ user: 'free', seq: 1 }]);
  await session.query('ROLLBACK');
  expect((await waiting).entries).toEqual([{ user: 'locked', seq: 2 }]);
});

test('§4.8: and delays them for a bounded time', async () => {
  await fillInbox(inbox.db, 'held', 1);
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query(`SELECT * FROM inbox WHERE user_id = 'held' FOR UPDATE`);
  const [outcome] = await acceptPatiently(inbox.db, [newMessage('held')], LOCK_WAITS);
  expect(outcome).toBeInstanceOf(OutageError);
  await session.query('ROLLBACK');
  expect((await send(inbox.db, newMessage('held'))).entries).toEqual([{ user: 'held', seq: 2 }]);
});

test('§1: recipients, keys and senders in opposite orders never deadlock', async () => {
  const other = await openTestInbox();
  await other.slowInserts('idempotency_key', 50);
  await other.slowInserts('inbox', 2);
  const pools = [other.db, other.openAnother()];
  const users = countTo(20).map((index) => `user-${index}`);
  await Promise.all(
    pools.flatMap((db, pool) =>
      countTo(4).map(async (writer) => {
        for (let round = 0; round < 3; round++) {
          const isReversed = (pool + writer + round) % 2 === 0;
          const to = isReversed ? users.toReversed() : users;
          const batch = countTo(3).map((index) =>
            newMessage(to, {
              sender: `sender-${index}`,
              idempotency: { key: `key-${round}-${index}`, bodyHash: Buffer.from([pool, writer]) },
            }),
          );
          const outcomes = await acceptPatiently(db, isReversed ? batch.toReversed() : batch);
          expect(outcomes.filter((outcome) => outcome instanceof Error)).toEqual([]);
        }
      }),
    ),
  );
  expect((await storedEntries(other, 'user-1')).map(({ seq }) => seq)).toEqual(countTo(9));
  expect(await other.countDeadlocks()).toBe(0);
  await other.drop();
});

describe('a deadlock with another program', () => {
  let other: TestInbox;
  let session: Awaited<ReturnType<TestInbox['openSession']>>;

  /** A database where only our statements look for deadlocks, after so long. */
  async function openWhereWeLook(deadlockTimeout: string): Promise<void> {
    other = await openTestInbox();
    await other.database.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''${deadlockTimeout}''', current_database()); END $$`,
    );
    session = await other.openSession();
    await session.query(`SET deadlock_timeout = '10min'`);
  }

  /**
   * The other program holds b and waits for a, which we hold while we wait for b. Postgres looks for a deadlock once in
   * each wait, so ours has to be the last one to begin: it stops between a and b until the other waits.
   */
  async function meet(run: () => Promise<readonly unknown[]>): Promise<unknown> {
    await send(other.db, newMessage(['a', 'b']));
    await other.database.query(`
      CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        WHILE NOT pg_try_advisory_xact_lock_shared(1) LOOP PERFORM pg_sleep(0.01); END LOOP;
        RETURN NEW;
      END $$;
      CREATE TRIGGER stall BEFORE UPDATE ON inbox FOR EACH ROW WHEN (NEW.user_id = 'a') EXECUTE FUNCTION stall()`);
    const gate = await other.openSession();
    await gate.query('SELECT pg_advisory_lock(1)');
    await session.query('BEGIN');
    await session.query(`SELECT * FROM inbox WHERE user_id = 'b' FOR UPDATE`);
    const sent = run();
    await whenStalled(other);
    const locked = session.query(`SELECT * FROM inbox WHERE user_id = 'a' FOR UPDATE`);
    await whenBlocked(other.database);
    await gate.query('SELECT pg_advisory_unlock(1)');
    await locked; // we gave way
    await session.query('COMMIT');
    return (await sent)[0];
  }

  afterEach(async () => {
    await other.drop();
  });

  async function expectAcceptedOnce(outcome: unknown): Promise<void> {
    const entries = [
      { user: 'a', seq: 2 },
      { user: 'b', seq: 2 },
    ];
    expect(outcome).toHaveProperty('entries', expect.arrayContaining(entries));
    for (const user of ['a', 'b'])
      expect((await storedEntries(other, user)).map(({ seq }) => seq)).toEqual([1, 2]);
  }

  test('§1: that Postgres finds is retried, and nothing is accepted twice', async () => {
    await openWhereWeLook('50ms');
    const wait = { first: null, firstMs: PATIENT_MS, thenMs: PATIENT_MS };
    await expectAcceptedOnce(await meet(() => commitSends(other.db, [newMessage(['b', 'a'])], wait)));
    expect(await other.countDeadlocks()).toBe(1);
  });

  test('§1: that Postgres does not find is over once we give up the wait for its lock, and nothing is accepted twice', async () => {
    await openWhereWeLook('10min');
    const waits = { ...LOCK_WAITS, splitMs: PATIENT_MS, laneMs: PATIENT_MS };
    await expectAcceptedOnce(await meet(() => acceptPatiently(other.db, [newMessage(['b', 'a'])], waits)));
    expect(await other.countDeadlocks()).toBe(0);
  });
});

test.each(['40P01', '40001'])(
  '§1: a failure %s is retried three times, then it is an outage',
  async (state) => {
    const { db, database } = inbox;
    // A sequence is not rolled back, so it counts the attempts.
    await database.query('CREATE SEQUENCE attempt');
    await database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('attempt') <= NEW.text::int THEN RAISE EXCEPTION 'injected' USING ERRCODE = '${state}'; END IF;
      RETURN NEW;
    END $$`);
    await database.query(
      'CREATE TRIGGER refuse BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    const user = `refused-${state}`;
    expect((await send(db, newMessage(user, { text: '3' }))).entries).toEqual([{ user, seq: 1 }]);
    await database.query('ALTER SEQUENCE attempt RESTART');
    const [outcome] = await acceptMessages(db, [newMessage(user, { text: '4' })]);
    expect(outcome).toBeInstanceOf(OutageError);
    expect(await database.query('SELECT last_value FROM attempt')).toEqual([{ last_value: '4' }]);
    expect(await storedEntries(inbox, user)).toHaveLength(1);
    await database.query('DROP FUNCTION refuse CASCADE');
    await database.query('DROP SEQUENCE attempt');
  },
);

/** Resolves once a statement stalls in a trigger; gives its process. */
async function whenStalled({ database }: TestInbox): Promise<number> {
  return await eventually('a statement that stalls', async () => {
    const [row] = await database.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
    );
    return row?.pid;
  });
}
