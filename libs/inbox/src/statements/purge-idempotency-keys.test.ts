import { idempotency, newMessage, openTestInbox, send, type TestInbox } from '../../test/inbox-fixture';
import { acceptMessages } from '../commit/accept-messages';
import { purgeIdempotencyKeys } from './purge-idempotency-keys';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

beforeEach(async () => {
  await inbox.database.query('TRUNCATE idempotency_key');
});

afterAll(async () => {
  await inbox.drop();
});

/** Uses a key this long ago. */
async function useKey(key: string, age: string): Promise<void> {
  await send(inbox.db, newMessage('bob', { idempotency: idempotency(key) }));
  await inbox.database.query('UPDATE idempotency_key SET created_at = now() - $2::interval WHERE key = $1', [
    key,
    age,
  ]);
}

async function keysLeft(): Promise<string[]> {
  const rows = await inbox.database.query<{ key: string }>('SELECT key FROM idempotency_key ORDER BY key');
  return rows.map(({ key }) => key);
}

test('§4: a key is kept for 24 hours and goes after them', async () => {
  await useKey('a-new', '0 s');
  await useKey('b-kept', '23 hours 59 minutes');
  await useKey('c-old', '24 hours 1 minute');
  expect(await purgeIdempotencyKeys(inbox.db, 100)).toBe(1);
  expect(await keysLeft()).toEqual(['a-new', 'b-kept']);
  const [again] = await acceptMessages(inbox.db, [newMessage('bob', { idempotency: idempotency('c-old') })]);
  expect(again).toMatchObject({ kind: 'accepted' });
});

test('one purge removes no more than it was told, oldest first', async () => {
  for (const [key, age] of [
    ['a', '3 days'],
    ['b', '5 days'],
    ['c', '4 days'],
  ] as const)
    await useKey(key, age);
  expect(await purgeIdempotencyKeys(inbox.db, 2)).toBe(2);
  expect(await keysLeft()).toEqual(['a']);
  expect(await purgeIdempotencyKeys(inbox.db, 2)).toBe(1);
  expect(await purgeIdempotencyKeys(inbox.db, 2)).toBe(0);
});

test('a purge leaves out what another one holds, and does not wait for it', async () => {
  await useKey('held', '5 days');
  await useKey('free', '4 days');
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await session.query(`SELECT * FROM idempotency_key WHERE key = 'held' FOR UPDATE`);
  expect(await purgeIdempotencyKeys(inbox.db, 100)).toBe(1);
  expect(await keysLeft()).toEqual(['held']);
  await session.query('ROLLBACK');
});
