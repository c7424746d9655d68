import type { InboxItem, Message } from '@posthorn/protocol';
import { eventually } from '@posthorn/testing';
import { World } from './fixture';

/** The advisory lock that holds up a slow message. */
const HOLD_UP = 1;

let world: World;

beforeAll(async () => {
  // What is held up here must not be given up.
  world = await World.start({ patientWith: ['postgres'] });
  // A message with the text "slow" waits for the test between its seq and its commit.
  await world.database.query(`
    CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(${HOLD_UP});
      RETURN NULL;
    END $$`);
  await world.database.query(`
    CREATE TRIGGER take_time AFTER INSERT ON message
    FOR EACH ROW WHEN (NEW.text = 'slow') EXECUTE FUNCTION take_time()`);
});

afterAll(() => world.stop());

/** Posts to the first send-api, kills that while it waits, and returns what the other one says to the same request. */
async function killAndRetry(
  bob: string,
  text: string,
  waitEvent: string,
  release: () => Promise<void>,
): Promise<{ status: number; id: string }> {
  const request = {
    method: 'POST',
    body: { to: [bob], text },
    headers: { 'Idempotency-Key': `key-${text}` },
  };
  const lost = world.ask<Message>('alice', '/v1/messages', { ...request, api: 0 }).then(
    ({ status }) => `answered ${status}`,
    () => 'no answer',
  );
  await eventually('the statement is under way', async () => {
    const rows = await world.database.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'posthorn' AND ${waitEvent}`,
    );
    return rows.length > 0;
  });
  world.sendApis[0]?.kill('SIGKILL');
  expect(await lost).toBe('no answer');
  await world.sendApis[0]?.exited;
  await release();
  const { status, body } = await eventually('an answer of the other', async () => {
    const answer = await world.ask<Message>('alice', '/v1/messages', { ...request, api: 1 });
    return answer.status < 500 && answer;
  });
  world.sendApis.shift();
  await world.addSendApi();
  world.sendApis.reverse();
  return { status, id: body.id };
}

async function inboxOf(user: string): Promise<InboxItem[]> {
  return (await world.ask<{ items: InboxItem[] }>(user, '/v1/inbox')).body.items;
}

test('§4.1: a send-api killed with -9 while its message commits: the same key elsewhere gets that message, once', async () => {
  const bob = world.user('bob');
  const client = await world.connect(bob);
  const release = await world.database.hold('SELECT pg_advisory_xact_lock($1)', [HOLD_UP]);
  const { status, id } = await killAndRetry(bob, 'slow', `wait_event = 'advisory'`, release);
  expect(status).toBe(200);
  expect(await inboxOf(bob)).toEqual([{ seq: 1, message: expect.objectContaining({ id, text: 'slow' }) }]);
  expect(await client.nextOf('message')).toMatchObject({ seq: 1, message: { id } });
});

test('§4.1: a send-api killed with -9 before its message commits: the same key elsewhere makes it, once', async () => {
  const bob = world.user('bob');
  await world.send('alice', bob, 'first');
  const release = await world.database.hold('SELECT * FROM inbox WHERE user_id = $1 FOR UPDATE', [bob]);
  const { status, id } = await killAndRetry(bob, 'stuck', `wait_event_type = 'Lock'`, release);
  expect([200, 201]).toContain(status);
  expect((await inboxOf(bob)).map(({ seq, message }) => [seq, message.text, message.id])).toEqual([
    [1, 'first', expect.any(String)],
    [2, 'stuck', id],
  ]);
});
