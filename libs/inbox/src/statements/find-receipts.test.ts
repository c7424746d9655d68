import { randomUUID } from 'node:crypto';
import { newMessage, openTestInbox, send, type TestInbox } from '../../test/inbox-fixture';
import { findMessage } from './find-message';
import { findReceipts } from './find-receipts';
import { recordReads } from './record-reads';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

test('§4: receipts have a row for each recipient in the order of to, with times null until they happen', async () => {
  const { message } = await send(inbox.db, newMessage(['zoe', 'alice', 'bob']));
  const none = { deliveredAt: null, readAt: null };
  expect(await findReceipts(inbox.db, message.id, 'alice')).toEqual([
    { user: 'zoe', ...none },
    { user: 'alice', ...none },
    { user: 'bob', ...none },
  ]);
  const [read] = await recordReads(inbox.db, [{ user: 'bob', ids: [message.id] }]);
  const at = read?.news[0]?.at;
  expect((await findReceipts(inbox.db, message.id, 'alice'))?.[2]).toEqual({
    user: 'bob',
    deliveredAt: at,
    readAt: at,
  });
});

test('§4: receipts are for the sender only', async () => {
  const { message } = await send(inbox.db, newMessage('bob'));
  expect(await findReceipts(inbox.db, message.id, 'bob')).toBeNull();
  expect(await findReceipts(inbox.db, message.id, 'carol')).toBeNull();
  expect(await findReceipts(inbox.db, randomUUID(), 'alice')).toBeNull();
});

test('§4: a message is for its sender, with to, and its recipients, without; for nobody else', async () => {
  const { message } = await send(inbox.db, newMessage(['bob', 'carol']));
  const { to: _to, ...seen } = message;
  expect(await findMessage(inbox.db, message.id, 'alice')).toEqual(message);
  expect(await findMessage(inbox.db, message.id.toUpperCase(), 'carol')).toEqual(seen);
  expect(await findMessage(inbox.db, message.id, 'dave')).toBeNull();
  expect(await findMessage(inbox.db, randomUUID(), 'alice')).toBeNull();
});
