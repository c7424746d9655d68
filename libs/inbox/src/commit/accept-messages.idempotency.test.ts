import { v7 as uuidv7 } from 'uuid';
import {
  accepted,
  acceptPatiently,
  countTo,
  idempotency,
  newMessage,
  openTestInbox,
  send,
  storedEntries,
  type TestInbox,
} from '../../test/inbox-fixture';
import { OutageError } from '../database/outage';
import { acceptMessages } from './accept-messages';
import { LOCK_WAITS } from './lock-wait';
import type { AcceptOutcome } from './new-message';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

function kindsOf(outcomes: readonly (AcceptOutcome | Error)[]): string[] {
  return outcomes.map((outcome) => (outcome instanceof Error ? outcome.name : outcome.kind));
}

test('§4: a repeat with the same key and body gets the first message, and nothing is sent twice', async () => {
  const data = { b: 1, a: [2] };
  const first = await send(inbox.db, newMessage('bob', { data, idempotency: idempotency('k1') }));
  const [again] = await acceptMessages(inbox.db, [
    newMessage('bob', { data, idempotency: idempotency('k1') }),
  ]);
  expect(again).toEqual({ kind: 'replayed', message: first.message });
  expect(JSON.stringify(again)).toBe(JSON.stringify({ kind: 'replayed', message: first.message }));
  expect(await storedEntries(inbox, 'bob')).toHaveLength(1);
});

test('§4: a repeat with another body is a conflict, and changes nothing', async () => {
  await send(inbox.db, newMessage('carol', { idempotency: idempotency('k2') }));
  const outcomes = await acceptMessages(inbox.db, [
    newMessage('carol', { text: 'other', idempotency: idempotency('k2', 'other') }),
  ]);
  expect(outcomes).toEqual([{ kind: 'conflict' }]);
  expect(await storedEntries(inbox, 'carol')).toHaveLength(1);
});

test('§4: a key is its sender’s own: another sender may use the same', async () => {
  for (const sender of ['alice', 'zed']) {
    await send(inbox.db, newMessage('dave', { sender, idempotency: idempotency('shared') }));
  }
  expect(await storedEntries(inbox, 'dave')).toHaveLength(2);
});

test('§4: sender and key are not run together: a:b with c is not a with b:c', async () => {
  const outcomes = await acceptMessages(inbox.db, [
    newMessage('erin', { sender: 'a:b', idempotency: idempotency('c') }),
    newMessage('erin', { sender: 'a', idempotency: idempotency('b:c') }),
  ]);
  expect(kindsOf(outcomes)).toEqual(['accepted', 'accepted']);
});

test('§4: twins in one batch: the second gets the first’s message, a third with another body a conflict', async () => {
  const outcomes = await acceptMessages(inbox.db, [
    newMessage('frank', { idempotency: idempotency('k3') }),
    newMessage('frank'),
    newMessage('frank', { idempotency: idempotency('k3') }),
    newMessage('frank', { idempotency: idempotency('k3', 'other') }),
  ]);
  expect(outcomes).toEqual([
    expect.objectContaining({ kind: 'accepted' }),
    expect.objectContaining({ kind: 'accepted' }),
    { kind: 'replayed', message: accepted(outcomes[0]).message },
    { kind: 'conflict' },
  ]);
  expect(await storedEntries(inbox, 'frank')).toHaveLength(2);
});

test('§4: twins in one batch, after the key was used: each is judged by the stored body, not by its twin', async () => {
  const first = await send(inbox.db, newMessage('grace', { idempotency: idempotency('k4', 'stored') }));
  const outcomes = await acceptMessages(inbox.db, [
    newMessage('grace', { idempotency: idempotency('k4', 'other') }),
    newMessage('grace', { idempotency: idempotency('k4', 'stored') }),
    newMessage('grace', { idempotency: idempotency('k4', 'other') }),
    newMessage('grace', { idempotency: idempotency('k4', 'third') }),
  ]);
  expect(outcomes).toEqual([
    { kind: 'conflict' },
    { kind: 'replayed', message: first.message },
    { kind: 'conflict' },
    { kind: 'conflict' },
  ]);
});

test('§4: twins that race on two pods: exactly one is accepted, the others get its message', async () => {
  const pools = [inbox.db, inbox.openAnother()];
  const outcomes = await Promise.all(
    countTo(20).map(async (index) => {
      const [outcome] = await acceptPatiently(pools[index % 2] ?? inbox.db, [
        newMessage('heidi', { idempotency: idempotency('race') }),
      ]);
      return outcome ?? new Error('no outcome');
    }),
  );
  expect(kindsOf(outcomes).sort()).toEqual(['accepted', ...countTo(19).map(() => 'replayed')]);
  const [winner] = outcomes.filter((outcome) => !(outcome instanceof Error) && outcome.kind === 'accepted');
  const { message } = accepted(winner);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ message });
  expect(await storedEntries(inbox, 'heidi')).toHaveLength(1);
});

test('§4: a twin that waits for the first goes on as the first when that is rolled back', async () => {
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await holdKey(session, 'k5');
  const waiting = acceptPatiently(inbox.db, [
    newMessage('ivan', { idempotency: idempotency('k5') }),
    newMessage('ivan'),
  ]);
  await inbox.whenWaiting(1);
  await session.query('ROLLBACK');
  expect(kindsOf(await waiting)).toEqual(['accepted', 'accepted']);
  expect((await storedEntries(inbox, 'ivan')).map(({ seq }) => seq)).toEqual([1, 2]);
});

test('§4: a twin that waits for the first gets its message when that is committed', async () => {
  const session = await inbox.openSession();
  await session.query('BEGIN');
  const messageId = await holdKey(session, 'k6');
  await session.query(
    `INSERT INTO message (id, sender, recipients, text, created_at) VALUES ($1, 'alice', '{judy}', 'hello', now())`,
    [messageId],
  );
  const waiting = acceptPatiently(inbox.db, [
    newMessage('judy', { idempotency: idempotency('k6') }),
    newMessage('kim', { idempotency: idempotency('k7') }),
  ]);
  await inbox.whenWaiting(1);
  await session.query('COMMIT');
  const [twin, neighbour] = await waiting;
  expect(twin).toMatchObject({ kind: 'replayed', message: { id: messageId } });
  expect(accepted(neighbour).entries).toEqual([{ user: 'kim', seq: 1 }]);
});

test('§4: a twin waits for the first no longer than an outage may take, and promises nothing', async () => {
  const session = await inbox.openSession();
  await session.query('BEGIN');
  await holdKey(session, 'k8');
  const message = newMessage('leo', { idempotency: idempotency('k8') });
  const [outcome] = await acceptPatiently(inbox.db, [message], LOCK_WAITS);
  expect(outcome).toBeInstanceOf(OutageError);
  await session.query('ROLLBACK');
  expect(await storedEntries(inbox, 'leo')).toEqual([]);
});

test('§4: a key whose message is gone is an outage after a bounded number of tries, not a loop', async () => {
  const session = await inbox.openSession();
  await holdKey(session, 'k9');
  const [outcome, neighbour] = await acceptPatiently(inbox.db, [
    newMessage('mia', { idempotency: idempotency('k9') }),
    newMessage('mia'),
  ]);
  expect(outcome).toBeInstanceOf(OutageError);
  expect(accepted(neighbour).entries).toEqual([{ user: 'mia', seq: 1 }]);
});

/** Takes a key of alice's as another request would. */
async function holdKey(
  session: { query(sql: string, values: unknown[]): Promise<unknown> },
  key: string,
): Promise<string> {
  const messageId = uuidv7();
  await session.query(
    `INSERT INTO idempotency_key (sender, key, body_hash, message_id) VALUES ('alice', $1, $2, $3)`,
    [key, idempotency(key).bodyHash, messageId],
  );
  return messageId;
}
