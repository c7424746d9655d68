import {
  accepted,
  claim,
  countTo,
  epochOf,
  fillInbox,
  newMessage,
  openTestInbox,
  PATIENT_MS,
  type TestInbox,
} from '../../test/inbox-fixture';
import { acceptMessages } from '../commit/accept-messages';
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

async function cursorOf(user: string, device = 'phone'): Promise<number> {
  const [row] = await inbox.database.query<{ cursor: string }>(
    'SELECT cursor FROM device WHERE user_id = $1 AND device = $2',
    [user, device],
  );
  return Number(row?.cursor);
}

test('§5: an ack records delivered for everything that the cursor passes, and tells of it once', async () => {
  const ids = await fillInbox(inbox.db, 'bob', 4);
  const { fence, epoch } = await claim(inbox.db, 'bob');
  const [first] = await moveCursors(inbox.db, [{ user: 'bob', device: 'phone', fence, epoch, seq: 3 }]);
  expect(first?.isHolder).toBe(true);
  expect(first?.news.map(({ messageId }) => messageId).sort()).toEqual(ids.slice(0, 3).sort());
  expect(first?.news[0]).toEqual({
    messageId: expect.any(String),
    sender: 'alice',
    user: 'bob',
    status: 'delivered',
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  const [again] = await moveCursors(inbox.db, [{ user: 'bob', device: 'phone', fence, epoch, seq: 3 }]);
  expect(again).toEqual({ isHolder: true, cursor: 3, news: [] });
  expect(await findReceipts(inbox.db, ids[0] ?? '', 'alice')).toEqual([
    { user: 'bob', deliveredAt: first?.news[0]?.at, readAt: null },
  ]);
  expect(await findReceipts(inbox.db, ids[3] ?? '', 'alice')).toEqual([
    { user: 'bob', deliveredAt: null, readAt: null },
  ]);
});

test('§5: a cursor never goes back', async () => {
  await fillInbox(inbox.db, 'carol', 5);
  const { fence, epoch } = await claim(inbox.db, 'carol');
  for (const seq of [4, 2, 0]) {
    const [moved] = await moveCursors(inbox.db, [{ user: 'carol', device: 'phone', fence, epoch, seq }]);
    expect(moved?.isHolder).toBe(true);
    expect(await cursorOf('carol')).toBe(4);
  }
});

test('§5: an ack under an older fence is refused and changes nothing: a newer connection holds the device', async () => {
  const [id = ''] = await fillInbox(inbox.db, 'dave', 2);
  const old = await claim(inbox.db, 'dave', 'phone', 'g1');
  const newer = await claim(inbox.db, 'dave', 'phone', 'g2');
  const [refused, taken] = await moveCursors(inbox.db, [
    { user: 'dave', device: 'phone', fence: old.fence, epoch: old.epoch, seq: 2 },
    { user: 'dave', device: 'phone', fence: newer.fence, epoch: newer.epoch, seq: 1 },
  ]);
  expect(refused).toMatchObject({ isHolder: false, news: [] });
  expect(taken).toMatchObject({ isHolder: true, news: [{ messageId: id }] });
  expect(await cursorOf('dave')).toBe(1);
});

test('§5: an ack of another life of the inboxes is refused, also of a device that the restore left as it was', async () => {
  await fillInbox(inbox.db, 'olivia', 3);
  const { fence, epoch } = await claim(inbox.db, 'olivia');
  const old = { user: 'olivia', device: 'phone', fence, epoch: 'the life before', seq: 3 };
  const [refused] = await moveCursors(inbox.db, [old]);
  expect(refused).toEqual({ isHolder: false, cursor: 0, news: [] });
  expect(await cursorOf('olivia')).toBe(0);
  const [refusedAgain, moved] = await moveCursors(inbox.db, [old, { ...old, epoch, seq: 1 }]);
  expect([refusedAgain?.isHolder, moved?.isHolder]).toEqual([false, true]);
  expect(await cursorOf('olivia')).toBe(1);
});

test('§5: an ack of a device that is not known is refused', async () => {
  await fillInbox(inbox.db, 'erin', 1);
  const ghost = { user: 'erin', device: 'ghost', fence: 1, epoch: await epochOf(inbox), seq: 1 };
  expect(await moveCursors(inbox.db, [ghost])).toMatchObject([{ isHolder: false, news: [] }]);
});

test('§4: deliveredAt is when the first of the user’s devices acknowledged; it never changes', async () => {
  const [id = ''] = await fillInbox(inbox.db, 'frank', 1);
  const phone = await claim(inbox.db, 'frank', 'phone');
  const desk = await claim(inbox.db, 'frank', 'desk');
  const [first] = await moveCursors(inbox.db, [
    { user: 'frank', device: 'phone', fence: phone.fence, epoch: phone.epoch, seq: 1 },
  ]);
  const [second] = await moveCursors(inbox.db, [
    { user: 'frank', device: 'desk', fence: desk.fence, epoch: desk.epoch, seq: 1 },
  ]);
  expect(first?.news).toHaveLength(1);
  expect(second).toEqual({ isHolder: true, cursor: 1, news: [] });
  expect(await findReceipts(inbox.db, id, 'alice')).toEqual([
    { user: 'frank', deliveredAt: first?.news[0]?.at, readAt: null },
  ]);
  expect([await cursorOf('frank', 'phone'), await cursorOf('frank', 'desk')]).toEqual([1, 1]);
});

test('§4: an ack after a read tells nothing: read implied delivered', async () => {
  const [id = ''] = await fillInbox(inbox.db, 'grace', 1);
  const { fence, epoch } = await claim(inbox.db, 'grace');
  await recordReads(inbox.db, [{ user: 'grace', ids: [id] }]);
  const before = await findReceipts(inbox.db, id, 'alice');
  expect(await moveCursors(inbox.db, [{ user: 'grace', device: 'phone', fence, epoch, seq: 1 }])).toEqual([
    { isHolder: true, cursor: 1, news: [] },
  ]);
  expect(await findReceipts(inbox.db, id, 'alice')).toEqual(before);
});

test('§5: one ack may cover thousands of entries: each statement takes a bounded part of the way', async () => {
  const ids = await fillInbox(inbox.db, 'heidi', 6_000);
  const { fence, epoch } = await claim(inbox.db, 'heidi');
  const told: string[] = [];
  const cursors: number[] = [];
  while ((cursors.at(-1) ?? 0) < 6_000) {
    const [moved] = await moveCursors(inbox.db, [
      { user: 'heidi', device: 'phone', fence, epoch, seq: 6_000 },
    ]);
    told.push(...(moved?.news.map(({ messageId }) => messageId) ?? []));
    cursors.push(moved?.cursor ?? 6_000);
  }
  expect(cursors).toEqual([5_000, 6_000]);
  expect(told.toSorted()).toEqual(ids.toSorted());
  expect(await cursorOf('heidi')).toBe(6_000);
});

test('§5: several acks of one device in a batch count as the highest, and the news is told once', async () => {
  await fillInbox(inbox.db, 'ivan', 9);
  const { fence, epoch } = await claim(inbox.db, 'ivan');
  const moves = [3, 9, 5].map((seq) => ({ user: 'ivan', device: 'phone', fence, epoch, seq }));
  const moved = await moveCursors(inbox.db, moves);
  expect(moved.map(({ isHolder }) => isHolder)).toEqual([true, true, true]);
  expect(moved.flatMap(({ news }) => news)).toHaveLength(9);
  expect(await cursorOf('ivan')).toBe(9);
});

test('§5: two devices of one user in one batch each move, and each message is delivered once', async () => {
  await fillInbox(inbox.db, 'judy', 6);
  const fences = await Promise.all(['phone', 'desk'].map((device) => claim(inbox.db, 'judy', device)));
  const moved = await moveCursors(inbox.db, [
    { user: 'judy', device: 'phone', fence: fences[0]?.fence ?? 0, epoch: await epochOf(inbox), seq: 2 },
    { user: 'judy', device: 'desk', fence: fences[1]?.fence ?? 0, epoch: await epochOf(inbox), seq: 6 },
  ]);
  expect(moved.map(({ isHolder }) => isHolder)).toEqual([true, true]);
  expect(new Set(moved.flatMap(({ news }) => news.map(({ messageId }) => messageId))).size).toBe(6);
  expect(moved.flatMap(({ news }) => news)).toHaveLength(6);
  expect([await cursorOf('judy', 'phone'), await cursorOf('judy', 'desk')]).toEqual([2, 6]);
});

test('§5: devices of one user that acknowledge at the same time, over two pools, deliver each message once', async () => {
  const count = 300;
  await fillInbox(inbox.db, 'kim', count);
  const pools = [inbox.db, inbox.openAnother()];
  const devices = ['d1', 'd2', 'd3', 'd4'];
  const news = await Promise.all(
    devices.map(async (device, index) => {
      const { fence, epoch } = await claim(inbox.db, 'kim', device);
      const told: string[] = [];
      for (let seq = 60; seq <= count; seq += 60) {
        const moves = [{ user: 'kim', device, fence, epoch, seq }];
        const [moved] = await moveCursors(pools[index % 2] ?? inbox.db, moves, PATIENT_MS);
        told.push(...(moved?.news ?? []).map(({ messageId }) => messageId));
      }
      return told;
    }),
  );
  expect(news.flat()).toHaveLength(count);
  expect(new Set(news.flat()).size).toBe(count);
  expect(await Promise.all(devices.map((device) => cursorOf('kim', device)))).toEqual([300, 300, 300, 300]);
});

test('§1: the same ack from many requests at once is recorded once and answered each time', async () => {
  await fillInbox(inbox.db, 'leo', 10);
  const { fence, epoch } = await claim(inbox.db, 'leo');
  const moved = await Promise.all(
    countTo(8).map(() =>
      moveCursors(inbox.db, [{ user: 'leo', device: 'phone', fence, epoch, seq: 10 }], PATIENT_MS),
    ),
  );
  expect(moved.flat().every(({ isHolder }) => isHolder)).toBe(true);
  expect(moved.flat().flatMap(({ news }) => news)).toHaveLength(10);
});

test('§5: acks of many users in one batch do not mix', async () => {
  const users = countTo(20).map((index) => `many-${index}`);
  const [outcome] = await acceptMessages(inbox.db, [newMessage(users)]);
  const { message } = accepted(outcome);
  const moves = await Promise.all(
    users.map(async (user) => ({
      user,
      device: 'phone',
      fence: (await claim(inbox.db, user)).fence,
      epoch: await epochOf(inbox),
      seq: 1,
    })),
  );
  const moved = await moveCursors(inbox.db, moves.toReversed());
  expect(moved.map(({ news }) => news.map(({ user, messageId }) => [user, messageId]))).toEqual(
    users.toReversed().map((user) => [[user, message.id]]),
  );
});

test('§5: an ack moves over entries whose messages were dropped before them, and tells nobody of those', async () => {
  const [gone] = await fillInbox(inbox.db, 'ghost', 2);
  const { fence, epoch } = await claim(inbox.db, 'ghost');
  await inbox.database.query('DELETE FROM message WHERE id = $1', [gone]);
  const [moved] = await moveCursors(inbox.db, [{ user: 'ghost', device: 'phone', fence, epoch, seq: 2 }]);
  expect(moved).toMatchObject({ cursor: 2, news: [{ sender: 'alice', user: 'ghost' }] });
});
