import {
  accepted,
  claim,
  epochOf,
  fillInbox,
  idOfSql,
  newMessage,
  openInboxDatabase,
  openTestInbox,
  send,
  type TestInbox,
} from '../../test/inbox-fixture';
import { acceptMessages } from '../commit/accept-messages';
import { type DeliveryPage, findDelivery } from './find-delivery';
import { moveCursors } from './move-cursors';
import { recordReads } from './record-reads';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ALL = { sender: 'alice', after: 0, limit: 100 };

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

async function found(id: string, more: Partial<typeof ALL> = {}): Promise<DeliveryPage> {
  const page = await findDelivery(inbox.db, id, { ...ALL, ...more });
  if (page === null) throw new Error('no such message');
  return page;
}

test('tells of each recipient the place, the times, and each device with its cursor', async () => {
  await fillInbox(inbox.db, 'bob', 2);
  const { fence } = await claim(inbox.db, 'bob', 'phone', 'g1');
  await claim(inbox.db, 'bob', 'laptop', 'g2');
  const { message } = await send(inbox.db, newMessage(['carol', 'bob', 'dave']));
  await moveCursors(inbox.db, [{ user: 'bob', device: 'phone', fence, epoch: await epochOf(inbox), seq: 3 }]);
  await recordReads(inbox.db, [{ user: 'dave', ids: [message.id] }]);
  const page = await found(message.id);
  expect(page).toMatchObject({ from: 'alice', committedAt: message.createdAt, recipients: 3 });
  expect(page.items).toEqual([
    { user: 'carol', seq: 1, deliveredAt: null, readAt: null, devices: [] },
    {
      user: 'bob',
      seq: 3,
      deliveredAt: expect.stringMatching(TIME),
      readAt: null,
      devices: [
        {
          device: 'laptop',
          cursor: 0,
          gateway: 'g2',
          connectedAt: expect.stringMatching(TIME),
          lastSeenAt: null,
        },
        {
          device: 'phone',
          cursor: 3,
          gateway: 'g1',
          connectedAt: expect.stringMatching(TIME),
          lastSeenAt: null,
        },
      ],
    },
    {
      user: 'dave',
      seq: 1,
      deliveredAt: expect.stringMatching(TIME),
      readAt: expect.stringMatching(TIME),
      devices: [],
    },
  ]);
});

test('gives a part of the recipients, in the order of `to`', async () => {
  const to = ['r5', 'r1', 'r4', 'r2', 'r3'];
  const { message } = await send(inbox.db, newMessage(to));
  const usersOf = async (after: number, limit: number): Promise<string[]> =>
    (await found(message.id, { after, limit })).items.map(({ user }) => user);
  expect(await usersOf(0, 2)).toEqual(['r5', 'r1']);
  expect(await usersOf(2, 2)).toEqual(['r4', 'r2']);
  expect(await usersOf(4, 2)).toEqual(['r3']);
  expect(await usersOf(5, 2)).toEqual([]);
  expect((await found(message.id, { after: 9 })).recipients).toBe(5);
});

test("tells nobody of another's message, and an operator of each", async () => {
  const { message } = await send(inbox.db, newMessage('bob'));
  expect(await findDelivery(inbox.db, message.id, { ...ALL, sender: 'bob' })).toBeNull();
  expect(await findDelivery(inbox.db, message.id, { ...ALL, sender: null })).not.toBeNull();
  expect(await findDelivery(inbox.db, '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11', ALL)).toBeNull();
});

test('finds the place wherever it is, among messages that were committed in one moment and long apart', async () => {
  const ids = await fillInbox(inbox.db, 'old', 300);
  await inbox.database.query(
    `UPDATE message m SET created_at = now() - (e.seq < 100)::int * (300 - e.seq) * interval '7 s'
     FROM inbox_entry e WHERE e.user_id = 'old' AND e.message_id = m.id`,
  );
  for (const seq of [1, 2, 50, 98, 99, 100, 101, 299, 300]) {
    expect([seq, (await found(ids[seq - 1] ?? '')).items[0]?.seq]).toEqual([seq, seq]);
  }
  await inbox.database.query(`DELETE FROM inbox_entry WHERE user_id = 'old' AND seq <= 150`);
  expect((await found(ids[149] ?? '')).items[0]?.seq).toBeNull();
  for (const seq of [151, 300]) expect((await found(ids[seq - 1] ?? '')).items[0]?.seq).toBe(seq);
});

test('reads a few rows of a long inbox, not all of it', async () => {
  const LENGTH = 5_000;
  await inbox.database.query(
    `WITH m AS (
       INSERT INTO message (id, sender, recipients, text, created_at)
       SELECT ${idOfSql('at')}, 'alice', ARRAY['long'], nth::text, at
       FROM (SELECT nth, now() - (${LENGTH} - nth) * interval '10 s' AS at FROM generate_series(1, ${LENGTH}) AS nth) AS made
       RETURNING id, text
     ), i AS (INSERT INTO inbox VALUES ('long', ${LENGTH}))
     INSERT INTO inbox_entry SELECT 'long', text::bigint, id FROM m`,
  );
  const [row] = await inbox.database.query<{ id: string }>(
    `SELECT message_id AS id FROM inbox_entry WHERE user_id = 'long' AND seq = 3210`,
  );
  // Statistics of a connection are written when it ends.
  const db = openInboxDatabase(inbox.database.url, { poolSize: 1 });
  const before = await rowsRead();
  const page = await findDelivery(db, row?.id ?? '', ALL);
  await db.close();
  expect(page?.items[0]?.seq).toBe(3210);
  expect((await rowsRead()) - before).toBeLessThan(LENGTH / 10);
});

async function rowsRead(): Promise<number> {
  const [row] = await inbox.database.query<{ rows: string }>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS rows FROM pg_stat_user_tables
     WHERE relname IN ('message', 'inbox_entry')`,
  );
  return Number(row?.rows);
}

test('a message to somebody twice in a batch has a place of its own each time', async () => {
  const outcomes = await acceptMessages(inbox.db, [newMessage('twice'), newMessage('twice')]);
  for (const outcome of outcomes) {
    const { message, entries } = accepted(outcome);
    expect((await found(message.id)).items[0]?.seq).toBe(entries[0]?.seq);
  }
});
