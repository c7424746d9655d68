import { randomUUID } from 'node:crypto';
import type { ReceiptItem } from '@posthorn/protocol';
import {
  claim,
  countTo,
  fillInbox,
  newMessage,
  openTestInbox,
  PATIENT_MS,
  send,
  type TestInbox,
} from '../../test/inbox-fixture';
import { findReceipts } from './find-receipts';
import { moveCursors } from './move-cursors';
import { recordReads } from './record-reads';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

const NOT_READ = { deliveredAt: null, readAt: null };

async function receiptOf(id: string, user: string): Promise<ReceiptItem | undefined> {
  const items = await findReceipts(inbox.db, id, 'alice');
  return items?.find((item) => item.user === user);
}

test('§4: read implies delivered, and is told once as read', async () => {
  const [id = ''] = await fillInbox(inbox.db, 'bob', 1);
  const [outcome] = await recordReads(inbox.db, [{ user: 'bob', ids: [id] }]);
  const at = outcome?.news[0]?.at;
  expect(outcome).toEqual({
    isKnown: true,
    news: [{ messageId: id, sender: 'alice', user: 'bob', status: 'read', at: expect.stringMatching(/Z$/) }],
  });
  expect(await receiptOf(id, 'bob')).toEqual({ user: 'bob', deliveredAt: at, readAt: at });
});

test('§4: the first time stays', async () => {
  const [id = ''] = await fillInbox(inbox.db, 'carol', 1);
  const { fence, epoch } = await claim(inbox.db, 'carol');
  const [moved] = await moveCursors(inbox.db, [{ user: 'carol', device: 'phone', fence, epoch, seq: 1 }]);
  await recordReads(inbox.db, [{ user: 'carol', ids: [id] }]);
  const first = await receiptOf(id, 'carol');
  expect(first).toMatchObject({ deliveredAt: moved?.news[0]?.at, readAt: expect.any(String) });
  expect(await recordReads(inbox.db, [{ user: 'carol', ids: [id] }])).toEqual([{ isKnown: true, news: [] }]);
  expect(await receiptOf(id, 'carol')).toEqual(first);
});

test.each([
  ['no such message', async () => randomUUID()],
  ['a message to somebody else', async () => (await fillInbox(inbox.db, 'stranger', 1))[0] ?? ''],
  [
    'a message that the user sent, but not to itself',
    async () => (await send(inbox.db, newMessage('other', { sender: 'dave' }))).message.id,
  ],
])('§4: one id that is not in the inbox, and nothing is recorded: %s', async (_name, makeId) => {
  const ids = await fillInbox(inbox.db, 'dave', 2);
  const unknown = await makeId();
  const outcomes = await recordReads(inbox.db, [
    { user: 'dave', ids: [ids[0] ?? '', unknown] },
    { user: 'dave', ids: [ids[1] ?? ''] },
  ]);
  expect(outcomes).toEqual([
    { isKnown: false, news: [] },
    { isKnown: true, news: [expect.objectContaining({ messageId: ids[1] })] },
  ]);
  expect(await receiptOf(ids[0] ?? '', 'dave')).toEqual({ user: 'dave', ...NOT_READ });
  expect(await inbox.database.query('SELECT 1 FROM receipt WHERE message_id = $1', [unknown])).toEqual([]);
});

test('§4: a sender that named itself may have read its own message', async () => {
  const { message } = await send(inbox.db, newMessage(['alice', 'erin']));
  const [outcome] = await recordReads(inbox.db, [{ user: 'alice', ids: [message.id] }]);
  expect(outcome?.news).toMatchObject([{ sender: 'alice', user: 'alice', status: 'read' }]);
  expect(await receiptOf(message.id, 'erin')).toEqual({ user: 'erin', ...NOT_READ });
});

test('§4: an id in capitals, or repeated in both ways, is that message once', async () => {
  const [id = ''] = await fillInbox(inbox.db, 'frank', 1);
  const [outcome] = await recordReads(inbox.db, [{ user: 'frank', ids: [id.toUpperCase(), id, id] }]);
  expect(outcome).toMatchObject({ isKnown: true, news: [{ messageId: id }] });
  expect(outcome?.news).toHaveLength(1);
});

test('§4: two requests of a batch for the same message: both are answered, it is told once', async () => {
  const ids = await fillInbox(inbox.db, 'grace', 2);
  const outcomes = await recordReads(inbox.db, [
    { user: 'grace', ids },
    { user: 'grace', ids: [ids[1] ?? '', ids[0] ?? ''] },
    { user: 'grace', ids: [ids[0] ?? '', randomUUID()] },
  ]);
  expect(outcomes.map(({ isKnown }) => isKnown)).toEqual([true, true, false]);
  expect(outcomes[2]?.news).toEqual([]);
  const told = outcomes.flatMap(({ news }) => news.map(({ messageId }) => messageId));
  expect(told.sort()).toEqual(ids.toSorted());
});

test('§4: one message read by several of its recipients in one batch is told for each', async () => {
  const users = countTo(5).map((index) => `reader-${index}`);
  const { message } = await send(inbox.db, newMessage(users));
  const outcomes = await recordReads(
    inbox.db,
    users.map((user) => ({ user, ids: [message.id] })),
  );
  expect(outcomes.map(({ news }) => news.map(({ user }) => user))).toEqual(users.map((user) => [user]));
});

test('§4: receipts out of order and at the same time: each is told once, and there is no deadlock', async () => {
  const other = await openTestInbox();
  await other.slowInserts('receipt', 2);
  const ids = await fillInbox(other.db, 'heidi', 20);
  const pools = [other.db, other.openAnother()];
  const { fence, epoch } = await claim(other.db, 'heidi');
  const reads = countTo(8).map((index) =>
    recordReads(
      pools[index % 2] ?? other.db,
      [{ user: 'heidi', ids: index % 2 === 0 ? ids : ids.toReversed() }],
      PATIENT_MS,
    ),
  );
  const moves = countTo(4).map((index) =>
    moveCursors(
      pools[index % 2] ?? other.db,
      [{ user: 'heidi', device: 'phone', fence, epoch, seq: 20 }],
      PATIENT_MS,
    ),
  );
  const told = (await Promise.all(reads)).flat();
  expect(told.every(({ isKnown }) => isKnown)).toBe(true);
  expect(told.flatMap(({ news }) => news.map(({ messageId }) => messageId)).sort()).toEqual(ids.toSorted());
  const delivered = (await Promise.all(moves)).flat().flatMap(({ news }) => news);
  expect(new Set(delivered.map(({ messageId }) => messageId)).size).toBe(delivered.length);
  const rows = await other.database.query(
    `SELECT 1 FROM receipt WHERE user_id = 'heidi' AND delivered_at <= read_at`,
  );
  expect(rows).toHaveLength(20);
  expect(await other.countDeadlocks()).toBe(0);
  await other.drop();
});

test('§4.4: what is delivered while its reader waits for another row is not read before that', async () => {
  const [held = '', other = ''] = await fillInbox(inbox.db, 'ivan', 2);
  const { fence, epoch } = await claim(inbox.db, 'ivan');
  const ack = (seq: number): ReturnType<typeof moveCursors> =>
    moveCursors(inbox.db, [{ user: 'ivan', device: 'phone', fence, epoch, seq }]);
  await ack(1);
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query('SELECT * FROM receipt WHERE message_id = $1 FOR UPDATE', [held]);
  const reading = recordReads(inbox.db, [{ user: 'ivan', ids: [held, other] }], PATIENT_MS);
  await inbox.whenWaiting(1);
  await ack(2);
  await session.query('ROLLBACK');
  const [outcome] = await reading;
  const receipt = await receiptOf(other, 'ivan');
  expect(receipt).toMatchObject({ deliveredAt: expect.any(String), readAt: receipt?.deliveredAt });
  expect(outcome?.news).toContainEqual(expect.objectContaining({ messageId: other, at: receipt?.readAt }));
});
