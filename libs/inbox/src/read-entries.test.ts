import {
  countTo,
  epochOf,
  fillInbox,
  newMessage,
  openTestInbox,
  send,
  type TestInbox,
} from '../test/inbox-fixture';
import { readEntries, readEntriesOfEpoch } from './read-entries';
import { readInboxPage } from './read-inbox-page';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
  await fillInbox(inbox.db, 'bob', 12);
});

afterAll(async () => {
  await inbox.drop();
});

test.each([
  [0, 5, [1, 2, 3, 4, 5]],
  [5, 5, [6, 7, 8, 9, 10]],
  [10, 5, [11, 12]],
  [9, 3, [10, 11, 12]],
  [12, 5, []],
  [Number.MAX_SAFE_INTEGER, 5, []],
])('§4: entries after %i, at most %i, come in order', async (after, limit, seqs) => {
  const [items] = await readEntries(inbox.db, [{ user: 'bob', after, limit }]);
  expect(items?.map(({ seq }) => seq)).toEqual(seqs);
  expect(items?.map(({ message }) => message.text)).toEqual(seqs.map(String));
});

test('§1: parts of several inboxes, also of one twice, come back in the order asked', async () => {
  await fillInbox(inbox.db, 'carol', 3);
  const pages = await readEntries(inbox.db, [
    { user: 'carol', after: 1, limit: 9 },
    { user: 'nobody', after: 0, limit: 9 },
    { user: 'bob', after: 10, limit: 9 },
    { user: 'bob', after: 0, limit: 1 },
  ]);
  expect(pages.map((items) => items.map(({ seq }) => seq))).toEqual([[2, 3], [], [11, 12], [1]]);
  expect(await readEntries(inbox.db, [])).toEqual([]);
});

test('§5: they come with the epoch that they are of, also where there are none', async () => {
  const query = { user: 'bob', after: 11, limit: 5 };
  const before = await readEntriesOfEpoch(inbox.db, [query]);
  expect(before.epoch).toBe(await epochOf(inbox));
  expect(before.pages.map((items) => items.map(({ seq }) => seq))).toEqual([[12]]);
  expect(await readEntriesOfEpoch(inbox.db, [])).toEqual({ epoch: before.epoch, pages: [] });
});

test('§4: only the sender’s own copy has to', async () => {
  const { message } = await send(inbox.db, newMessage(['dave', 'erin'], { sender: 'dave' }));
  const { to: _to, ...seen } = message;
  const [own, other] = await readEntries(inbox.db, [
    { user: 'dave', after: 0, limit: 1 },
    { user: 'erin', after: 0, limit: 1 },
  ]);
  expect(own).toEqual([{ seq: 1, message }]);
  expect(other).toEqual([{ seq: 1, message: seen }]);
  expect(Object.keys(own?.[0]?.message ?? {})).toEqual(['id', 'from', 'to', 'text', 'createdAt']);
});

test('§4: a page of an inbox comes with the newest seq of the whole', async () => {
  const page = await readInboxPage(inbox.db, { user: 'bob', after: 3, limit: 2 });
  expect(page.items.map(({ seq }) => seq)).toEqual([4, 5]);
  expect(page.lastSeq).toBe(12);
  expect(await readInboxPage(inbox.db, { user: 'nobody', after: 0, limit: 2 })).toEqual({
    items: [],
    lastSeq: 0,
  });
});

test('§4: lastSeq is never below the last of the items, while messages arrive', async () => {
  const sending = Promise.all(countTo(4).map(() => fillInbox(inbox.db, 'frank', 100)));
  const pages = await Promise.all(
    countTo(40).map(() => readInboxPage(inbox.db, { user: 'frank', after: 0, limit: 500 })),
  );
  await sending;
  for (const { items, lastSeq } of pages) expect(lastSeq).toBeGreaterThanOrEqual(items.length);
});
