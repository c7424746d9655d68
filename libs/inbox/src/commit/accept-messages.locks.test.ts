import {
  accepted,
  BRIEF,
  countTo,
  fillInbox,
  idempotency,
  newMessage,
  openTestInbox,
  PATIENT,
  PATIENT_MS,
  send,
  storedEntries,
  type TestInbox,
} from '../../test/inbox-fixture';
import { LockedError } from '../database/outage';
import { acceptMessages } from './accept-messages';
import type { NewMessage } from './new-message';

let inbox: TestInbox;
let holder: Awaited<ReturnType<TestInbox['openSession']>>;

beforeAll(async () => {
  inbox = await openTestInbox();
  holder = await inbox.openSession();
});

beforeEach(async () => {
  await holder.query('BEGIN');
});

afterEach(async () => {
  await holder.query('ROLLBACK');
});

afterAll(async () => {
  await inbox.drop();
});

async function lockInbox(user: string): Promise<void> {
  await holder.query('SELECT * FROM inbox WHERE user_id = $1 FOR UPDATE', [user]);
}

/** Accepts a batch in which only the last is kept waiting, and names what it waits for. */
async function expectLastLocked(last: NewMessage, locks: readonly string[]): Promise<void> {
  const free = countTo(12).map((index) => newMessage([`free-${index}`, 'shared']));
  const outcomes = await acceptMessages(inbox.db, [...free, last], null, BRIEF);
  const blamed = outcomes.pop();
  expect(blamed).toBeInstanceOf(LockedError);
  expect(blamed).toMatchObject({ locks });
  for (const outcome of outcomes) expect(accepted(outcome).entries).toHaveLength(2);
}

test('§1: a counter that another transaction holds delays its own recipients only, not their batch', async () => {
  await fillInbox(inbox.db, 'locked', 1);
  await lockInbox('locked');
  await expectLastLocked(newMessage(['free-1', 'locked', 'unborn']), ['inbox locked']);
  expect(await storedEntries(inbox, 'locked')).toHaveLength(1);
  expect(await storedEntries(inbox, 'unborn')).toEqual([]);
});

test('§1: so does a counter that another transaction makes and has not committed', async () => {
  await holder.query(`INSERT INTO inbox (user_id, newest_seq) VALUES ('newborn', 1)`);
  await expectLastLocked(newMessage(['free-1', 'newborn']), ['inbox newborn']);
});

test('§4.1: so does an idempotency key whose owner has not committed', async () => {
  await holder.query(
    `INSERT INTO idempotency_key (sender, key, body_hash, message_id) VALUES ('alice', 'k', '', gen_random_uuid())`,
  );
  await expectLastLocked(newMessage('free-1', { idempotency: idempotency('k') }), ['key alice k']);
});

test('§4.8: many that wait for what nobody can see are not taken apart for longer than there is time', async () => {
  const keys = countTo(200).map((index) => `busy-${index}`);
  await holder.query(
    `INSERT INTO idempotency_key (sender, key, body_hash, message_id)
     SELECT 'alice', key, '', gen_random_uuid() FROM unnest($1::text[]) AS key`,
    [keys],
  );
  // A part that were tried would never end.
  const outcomes = await acceptMessages(
    inbox.db,
    keys.map((key) => newMessage('crowd', { idempotency: idempotency(key) })),
    null,
    { ...BRIEF, splitMs: 0, partMs: PATIENT_MS },
  );
  for (const outcome of outcomes) expect(outcome).toBeInstanceOf(LockedError);
});

test('§1: who is known to wait for a counter holds nothing of others meanwhile, and is next when it is free', async () => {
  await fillInbox(inbox.db, 'before', 1);
  await fillInbox(inbox.db, 'held', 1);
  await lockInbox('held');
  const waiting = acceptMessages(inbox.db, [newMessage(['before', 'held'])], 'inbox held', PATIENT);
  await inbox.whenWaiting(1);
  await holder.query(`SELECT * FROM inbox WHERE user_id = 'before' FOR UPDATE NOWAIT`);
  await holder.query('ROLLBACK');
  const [outcome] = await waiting;
  expect(accepted(outcome).entries).toEqual([
    { user: 'before', seq: 2 },
    { user: 'held', seq: 2 },
  ]);
  expect((await send(inbox.db, newMessage('held'))).entries).toEqual([{ user: 'held', seq: 3 }]);
});

test('§1: of those that wait together, one that needs another locked row as well keeps nobody else', async () => {
  await fillInbox(inbox.db, 'first', 1);
  await fillInbox(inbox.db, 'second', 1);
  await lockInbox('second');
  const [one, both] = await acceptMessages(
    inbox.db,
    [newMessage('first'), newMessage(['first', 'second'])],
    'inbox first',
    BRIEF,
  );
  expect(accepted(one).entries).toEqual([{ user: 'first', seq: 2 }]);
  expect(both).toMatchObject({ locks: ['inbox second'] });
});
