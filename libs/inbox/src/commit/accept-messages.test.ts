import {
  accepted,
  countTo,
  newMessage,
  openTestInbox,
  send,
  storedEntries,
  type TestInbox,
} from '../../test/inbox-fixture';
import { OutageError } from '../database/outage';
import { findMessage } from '../statements/find-message';
import { readEntries } from '../statements/read-entries';
import { acceptMessages } from './accept-messages';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

test('§1: the message and an entry for each recipient are there when it returns', async () => {
  const { message, entries, epoch } = await send(inbox.db, newMessage(['zoe', 'bob', 'alice']));
  expect(message).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    from: 'alice',
    to: ['zoe', 'bob', 'alice'],
    text: 'hello',
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  expect(epoch).toMatch(/^[0-9a-f-]{36}$/);
  expect([...entries].sort((a, b) => (a.user < b.user ? -1 : 1))).toEqual([
    { user: 'alice', seq: 1 },
    { user: 'bob', seq: 1 },
    { user: 'zoe', seq: 1 },
  ]);
  for (const user of message.to) {
    expect(await storedEntries(inbox, user)).toEqual([{ seq: 1, messageId: message.id }]);
  }
});

test('§1: several messages to one recipient in a batch get positions in the order of the batch', async () => {
  await send(inbox.db, newMessage('busy'));
  const outcomes = await acceptMessages(inbox.db, [
    newMessage(['busy', 'calm']),
    newMessage('busy'),
    newMessage('other'),
    newMessage(['calm', 'busy']),
  ]);
  const placesOf = (user: string): (number | undefined)[] =>
    outcomes.map((outcome) => accepted(outcome).entries.find((entry) => entry.user === user)?.seq);
  expect(placesOf('busy')).toEqual([2, 3, undefined, 4]);
  expect(placesOf('calm')).toEqual([1, undefined, undefined, 2]);
  expect((await storedEntries(inbox, 'busy')).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
});

test('§4: a message to 1,000 recipients is one place in each of 1,000 inboxes', async () => {
  const to = countTo(1_000).map((index) => `many-${index}`);
  const { message, entries } = await send(inbox.db, newMessage(to));
  expect(message.to).toEqual(to);
  expect(entries).toHaveLength(1_000);
  expect(entries.every(({ seq }) => seq === 1)).toBe(true);
  const [row] = await inbox.database.query<{ count: string }>(
    'SELECT count(*) FROM inbox_entry WHERE message_id = $1',
    [message.id],
  );
  expect(row).toEqual({ count: '1000' });
});

test('§1: a batch that needs more than one statement keeps its order', async () => {
  const to = countTo(1_000).map((index) => `crowd-${index}`);
  const outcomes = await acceptMessages(
    inbox.db,
    countTo(7).map(() => newMessage(to)),
  );
  expect(outcomes.map((outcome) => accepted(outcome).entries[0]?.seq)).toEqual(countTo(7));
});

test('a batch of nothing is nothing', async () => {
  expect(await acceptMessages(inbox.db, [])).toEqual([]);
});

test('§1: one message that Postgres refuses fails alone, and leaves no hole', async () => {
  const outcomes = await acceptMessages(inbox.db, [
    newMessage('careful'),
    newMessage('careful', { text: 'bad \0 text' }),
    newMessage('careful', { data: { key: 'bad \0 data' } }),
    newMessage('careful'),
  ]);
  const [first, refused, kept, last] = outcomes;
  expect(refused).toBeInstanceOf(Error);
  expect(refused).not.toBeInstanceOf(OutageError);
  expect([first, kept, last].map((outcome) => accepted(outcome).entries[0]?.seq)).toEqual([1, 2, 3]);
  expect((await storedEntries(inbox, 'careful')).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('§4: data comes back unchanged: the order of its keys, __proto__, numbers, text', async () => {
  const json =
    '{"z":1,"a":[null,true,-0.5,1e-7,1e300,12345678901234567000],"__proto__":{"x":1},"10":"ten","9":"nine","e":{},"t":"\\u0001\\"\\\\ 😀 é"}';
  const data = JSON.parse(json);
  const text = ` \t\r\n'"\\ $1 {} 👩‍👩‍👧‍👦 \u202e\ufeff`;
  const { message } = await send(inbox.db, newMessage('exact', { text, data }));
  const [page] = await readEntries(inbox.db, [{ user: 'exact', after: 0, limit: 1 }]);
  const item = page?.items[0];
  const found = await findMessage(inbox.db, message.id, 'alice');
  for (const seen of [message, item?.message, found]) {
    expect(JSON.stringify(seen?.data)).toBe(JSON.stringify(data));
    expect(seen?.text).toBe(text);
  }
  expect({}).not.toHaveProperty('x');
});

test('§4: a message with only data has no text, and the reverse', async () => {
  const onlyData = await send(inbox.db, { sender: 'alice', to: ['half'], data: {} });
  const onlyText = await send(inbox.db, { sender: 'alice', to: ['half'], text: 'x' });
  const [page] = await readEntries(inbox.db, [{ user: 'half', after: 0, limit: 9 }]);
  expect(onlyData.message).not.toHaveProperty('text');
  expect(onlyText.message).not.toHaveProperty('data');
  expect(page?.items.map(({ message }) => Object.keys(message).sort())).toEqual([
    ['createdAt', 'data', 'from', 'id'],
    ['createdAt', 'from', 'id', 'text'],
  ]);
});

test('§4: createdAt of the answer is that of every later reading', async () => {
  const { message } = await send(inbox.db, newMessage('clock'));
  const [page] = await readEntries(inbox.db, [{ user: 'clock', after: 0, limit: 1 }]);
  const item = page?.items[0];
  const found = await findMessage(inbox.db, message.id, 'alice');
  expect([item?.message.createdAt, found?.createdAt]).toEqual([message.createdAt, message.createdAt]);
});

test('§1: positions are kept apart by bytes: users that differ in case or sign have inboxes of their own', async () => {
  const users = ['a.b', 'a_b', 'A.b', 'a-b', 'a:b', 'a@b', 'aB', 'ab'];
  await send(inbox.db, newMessage(users));
  const { entries } = await send(inbox.db, newMessage(users.toReversed()));
  expect(entries.map(({ seq }) => seq)).toEqual(users.map(() => 2));
});
