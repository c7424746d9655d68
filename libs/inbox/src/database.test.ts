import { eventually, FaultProxy } from '@posthorn/testing';
import {
  claim,
  countTo,
  fillInbox,
  newMessage,
  openInboxDatabase,
  openTestInbox,
  send,
  type TestInbox,
} from '../test/inbox-fixture';
import { acceptMessages } from './accept-messages';
import { claimDevices } from './claim-devices';
import { compareInboxes } from './compare-inboxes';
import type { InboxDatabase } from './database';
import { findLastSeen } from './find-last-seen';
import { findMessage } from './find-message';
import { moveCursors } from './move-cursors';
import { OutageError } from './outage';
import { readEntries } from './read-entries';
import { recordReads } from './record-reads';

let inbox: TestInbox;
let proxy: FaultProxy;
let db: InboxDatabase;
let messageId: string;

beforeAll(async () => {
  inbox = await openTestInbox();
  [messageId = ''] = await fillInbox(inbox.db, 'bob', 1);
  await claim(inbox.db, 'bob');
});

beforeEach(async () => {
  proxy = await FaultProxy.open(inbox.database.url);
  db = openInboxDatabase(proxy.through(inbox.database.url));
});

afterEach(async () => {
  proxy.mode = 'reset';
  await db.close();
  await proxy.close();
});

afterAll(async () => {
  await inbox.drop();
});

/** One of each kind of statement: several for the pool, several for TypeORM. */
function useAll(): Promise<unknown>[] {
  return [
    acceptOrThrow('bob'),
    claimDevices(db, [{ user: 'bob', device: 'desk', gateway: 'g1', holders: null }]),
    moveCursors(db, [{ user: 'bob', device: 'phone', fence: 1, epoch: 'e', seq: 1 }]),
    recordReads(db, [{ user: 'bob', ids: [messageId] }]),
    readEntries(db, [{ user: 'bob', after: 0, limit: 1 }]),
    compareInboxes(db, [{ user: 'bob', device: 'phone' }]),
    ...countTo(6).map(() => findMessage(db, messageId, 'alice')),
    findLastSeen(db, ['bob']),
  ];
}

async function acceptOrThrow(user: string): Promise<void> {
  const [outcome] = await acceptMessages(db, [newMessage(user)]);
  if (outcome instanceof Error) throw outcome;
}

async function expectOutages(work: readonly Promise<unknown>[], withinMs: number): Promise<void> {
  const began = performance.now();
  const settled = await Promise.allSettled(work);
  expect(performance.now() - began).toBeLessThan(withinMs);
  for (const result of settled) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(OutageError) });
  }
}

async function expectRecovery(): Promise<void> {
  await eventually(
    'everything works again',
    async () => {
      await Promise.all(useAll());
      return (await db.readiness()) === null;
    },
    3_000,
  );
}

test.each(['blackhole', 'drop-replies'] as const)(
  '§4: Postgres out of reach (%s) is an outage within 2 s, and over as soon as it is back',
  async (mode) => {
    await Promise.all(useAll());
    proxy.mode = mode;
    await expectOutages(useAll(), 2_000);
    proxy.mode = 'pass';
    await expectRecovery();
  },
);

test('§4: Postgres that resets connections is an outage at once, and over as soon as it is back', async () => {
  await Promise.all(useAll());
  proxy.mode = 'reset';
  await expectOutages(useAll(), 1_000);
  expect(await db.readiness()).toEqual({ postgres: expect.stringContaining('out of reach') });
  proxy.mode = 'pass';
  await expectRecovery();
});

test('§2: opening never waits: Postgres that is absent at the start is an outage until it is there', async () => {
  proxy.mode = 'blackhole';
  expect(await db.readiness()).toEqual({ postgres: expect.stringContaining('out of reach') });
  await expectOutages(useAll(), 2_000);
  proxy.mode = 'pass';
  await expectRecovery();
});

test('§2: connections that Postgres ends while they are idle are replaced, with a word in the log only', async () => {
  await Promise.all(useAll());
  await inbox.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'posthorn'`,
  );
  await expectRecovery();
});

test('§1: a message whose answer got lost was committed: the outcome of an outage is unknown', async () => {
  await send(db, newMessage('lost'));
  proxy.mode = 'drop-replies';
  await expectOutages([acceptOrThrow('lost')], 2_000);
  const [page] = await readEntries(inbox.db, [{ user: 'lost', after: 0, limit: 9 }]);
  expect(page?.items.map(({ seq }) => seq)).toEqual([1, 2]);
});

test('a database without the schema is an outage that names the way out', async () => {
  const url = new URL(inbox.database.url);
  url.pathname = '/postgres';
  const bare = openInboxDatabase(url.href);
  try {
    expect(await bare.readiness()).toEqual({ schema: expect.stringContaining('pnpm migrate') });
    await expect(findMessage(bare, messageId, 'alice')).rejects.toBeInstanceOf(OutageError);
    await expect(claim(bare, 'bob')).rejects.toBeInstanceOf(OutageError);
  } finally {
    await bare.close();
  }
});

test('§2.4: a Postgres that only reads is not ready: it would take no message', async () => {
  const url = new URL(inbox.database.url);
  url.searchParams.set('options', '-c default_transaction_read_only=on');
  const reader = openInboxDatabase(url.href);
  try {
    expect(await reader.readiness()).toEqual({ postgres: expect.stringMatching(/^Postgres only reads/) });
    await expect(claim(reader, 'bob')).rejects.toBeInstanceOf(OutageError);
  } finally {
    await reader.close();
  }
});

it('has Postgres compile none of the hot statements: what they may not scan seems dear enough to it', async () => {
  // Forbidden plans cost 10,000,000,000, and compiling begins at 100,000 where Postgres was built for it.
  expect(await inbox.db.run({ name: 'show-jit', text: 'SHOW jit' }, [])).toEqual([{ jit: 'off' }]);
});
