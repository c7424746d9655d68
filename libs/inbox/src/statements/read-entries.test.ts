import {
  countTo,
  epochOf,
  fillInbox,
  newMessage,
  openTestInbox,
  send,
  type TestInbox,
} from '../../test/inbox-fixture';
import { readEntries, readEntriesOfEpoch } from './read-entries';
import { readInboxPage } from './read-inbox-page';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
  await fillInbox(inbox.db, 'bob', 12);
  await fillInbox(inbox.db, 'holes', 12);
  await inbox.database.query(`DELETE FROM inbox_entry WHERE user_id = 'holes' AND seq NOT IN (3, 4, 5, 9)`);
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
  const [page] = await readEntries(inbox.db, [{ user: 'bob', after, limit }]);
  expect(page).toMatchObject({ skipped: [], newest: 12 });
  expect(page?.items.map(({ seq }) => seq)).toEqual(seqs);
  expect(page?.items.map(({ message }) => message.text)).toEqual(seqs.map(String));
});

test('§1: parts of several inboxes, also of one twice, come back in the order asked', async () => {
  await fillInbox(inbox.db, 'carol', 3);
  const pages = await readEntries(inbox.db, [
    { user: 'carol', after: 1, limit: 9 },
    { user: 'nobody', after: 0, limit: 9 },
    { user: 'bob', after: 10, limit: 9 },
    { user: 'bob', after: 0, limit: 1 },
  ]);
  expect(pages.map(({ items }) => items.map(({ seq }) => seq))).toEqual([[2, 3], [], [11, 12], [1]]);
  expect(await readEntries(inbox.db, [])).toEqual([]);
});

test('§5: they come with the epoch that they are of, also where there are none', async () => {
  const query = { user: 'bob', after: 11, limit: 5 };
  const before = await readEntriesOfEpoch(inbox.db, [query]);
  expect(before.epoch).toBe(await epochOf(inbox));
  expect(before.pages.map(({ items }) => items.map(({ seq }) => seq))).toEqual([[12]]);
  expect(await readEntriesOfEpoch(inbox.db, [])).toEqual({ epoch: before.epoch, pages: [] });
});

test('§4: only the sender’s own copy has to', async () => {
  const { message } = await send(inbox.db, newMessage(['dave', 'erin'], { sender: 'dave' }));
  const { to: _to, ...seen } = message;
  const [own, other] = await readEntries(inbox.db, [
    { user: 'dave', after: 0, limit: 1 },
    { user: 'erin', after: 0, limit: 1 },
  ]);
  expect(own?.items).toEqual([{ seq: 1, message }]);
  expect(other?.items).toEqual([{ seq: 1, message: seen }]);
  expect(Object.keys(own?.items[0]?.message ?? {})).toEqual(['id', 'from', 'to', 'text', 'createdAt']);
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

test.each([
  [
    0,
    9,
    [3, 4, 5, 9],
    [
      [1, 2],
      [6, 8],
      [10, 12],
    ],
  ],
  [
    0,
    4,
    [3, 4, 5, 9],
    [
      [1, 2],
      [6, 8],
    ],
  ],
  [0, 3, [3, 4, 5], [[1, 2]]],
  [1, 1, [3], [[2, 2]]],
  [
    4,
    9,
    [5, 9],
    [
      [6, 8],
      [10, 12],
    ],
  ],
  [
    6,
    9,
    [9],
    [
      [7, 8],
      [10, 12],
    ],
  ],
  [9, 9, [], [[10, 12]]],
  [11, 9, [], [[12, 12]]],
  [12, 9, [], []],
  [90, 9, [], []],
] as const)(
  '§5.2: what an inbox does not have any more is told, after %i, at most %i',
  async (after, limit, seqs, ranges) => {
    const skipped = ranges.map(([from, to]) => ({ from, to }));
    const [page] = await readEntries(inbox.db, [{ user: 'holes', after, limit }]);
    expect(page).toMatchObject({ skipped, newest: 12 });
    expect(page?.items.map(({ seq }) => seq)).toEqual(seqs);
    expect(await readInboxPage(inbox.db, { user: 'holes', after, limit })).toEqual({
      items: page?.items,
      ...(skipped.length === 0 ? {} : { skipped }),
      lastSeq: 12,
    });
  },
);

test('§5.2: nothing is taken for gone that is only being committed', async () => {
  const sent = new AbortController();
  const sending = Promise.all(countTo(4).map(() => fillInbox(inbox.db, 'grace', 50))).finally(() =>
    sent.abort(),
  );
  while (!sent.signal.aborted) {
    const [page] = await readEntries(inbox.db, [{ user: 'grace', after: 0, limit: 500 }]);
    expect(page).toMatchObject({ skipped: [], newest: page?.items.length });
  }
  await sending;
});

test('§5.2: entries whose messages were dropped before them are gone, and those behind the page are not', async () => {
  const ids = await fillInbox(inbox.db, 'heidi', 12);
  await inbox.database.query('DELETE FROM message WHERE id = ANY ($1)', [
    [...ids.slice(0, 3), ids[6], ids[11]],
  ]);
  const read = async (after: number, limit: number): Promise<unknown> => {
    const [page] = await readEntries(inbox.db, [{ user: 'heidi', after, limit }]);
    return [page?.items.map(({ seq }) => seq), page?.skipped.map(({ from, to }) => [from, to])];
  };
  expect(await read(0, 5)).toEqual([[4, 5], [[1, 3]]]);
  expect(await read(0, 2)).toEqual([[], [[1, 2]]]);
  expect(await read(5, 2)).toEqual([[6], [[7, 7]]]);
  expect(await read(5, 9)).toEqual([
    [6, 8, 9, 10, 11],
    [
      [7, 7],
      [12, 12],
    ],
  ]);
});
