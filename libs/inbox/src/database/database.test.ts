import { eventually, FaultProxy } from '@posthorn/testing';
import type { Client } from 'pg';
import {
  claim,
  countTo,
  fillInbox,
  newMessage,
  openInboxDatabase,
  openTestInbox,
  send,
  type TestInbox,
} from '../../test/inbox-fixture';
import { acceptMessages } from '../commit/accept-messages';
import { keepPartitions } from '../schema/keep-partitions';
import { claimDevices } from '../statements/claim-devices';
import { compareInboxes } from '../statements/compare-inboxes';
import { findLastSeen } from '../statements/find-last-seen';
import { findMessage } from '../statements/find-message';
import { moveCursors } from '../statements/move-cursors';
import { readEntries } from '../statements/read-entries';
import { recordReads } from '../statements/record-reads';
import type { InboxDatabase } from './database';
import { DATABASE_WAITS } from './database-waits';
import { OutageError } from './outage';

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
  db = openInboxDatabase(proxy.through(inbox.database.url), { waits: DATABASE_WAITS });
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

/** Without a limit some of the work would never end. */
async function expectOutages(work: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  for (const result of settled) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(OutageError) });
  }
}

/** Resolves once everything works; a busy machine runs into the limits until then. */
async function whenWell(): Promise<void> {
  await eventually('everything works', async () => {
    await Promise.all(useAll());
    return (await db.readiness()) === null;
  });
}

test('§4.8: the limits are within each other, and all within the two seconds of an outage', () => {
  const { connectMs, lockMs, statementMs, queryMs } = DATABASE_WAITS;
  expect(lockMs).toBeLessThan(statementMs);
  expect(statementMs).toBeLessThan(queryMs);
  for (const ms of [connectMs, queryMs]) expect(ms).toBeLessThan(2_000);
});

test.each(['blackhole', 'drop-replies'] as const)(
  '§4: Postgres out of reach (%s) is an outage once the limits are over, and over as soon as it is back',
  async (mode) => {
    await whenWell();
    proxy.mode = mode;
    await expectOutages(useAll());
    proxy.mode = 'pass';
    await whenWell();
  },
);

test('§4: Postgres that resets connections is an outage at once, and over as soon as it is back', async () => {
  await whenWell();
  proxy.mode = 'reset';
  await expectOutages(useAll());
  await expect(keepPartitions(db, { retentionDays: null })).rejects.toBeInstanceOf(OutageError);
  expect(await db.readiness()).toEqual({ postgres: expect.stringContaining('Postgres is unreachable') });
  proxy.mode = 'pass';
  await whenWell();
});

test('§2: opening never waits: Postgres that is absent at the start is an outage until it is there', async () => {
  proxy.mode = 'blackhole';
  expect(await db.readiness()).toEqual({ postgres: expect.stringContaining('Postgres is unreachable') });
  await expectOutages(useAll());
  proxy.mode = 'pass';
  await whenWell();
});

test('§2: connections that Postgres ends while they are idle are replaced, with a word in the log only', async () => {
  await whenWell();
  await inbox.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'posthorn'`,
  );
  await whenWell();
});

test('§1: a message whose answer got lost was committed: the outcome of an outage is unknown', async () => {
  await fillInbox(inbox.db, 'lost', 1);
  await whenWell(); // so that there is a connection for it
  proxy.mode = 'drop-replies';
  await expectOutages([acceptOrThrow('lost')]);
  const page = await eventually('the second message', async () => {
    const [read] = await readEntries(inbox.db, [{ user: 'lost', after: 1, limit: 9 }]);
    return read?.items.length !== 0 && read;
  });
  expect(page.items.map(({ seq }) => seq)).toEqual([2]);
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
    expect(await reader.readiness()).toEqual({ postgres: expect.stringMatching(/^Postgres is read-only/) });
    await expect(claim(reader, 'bob')).rejects.toBeInstanceOf(OutageError);
  } finally {
    await reader.close();
  }
});

test('§2.4: a message whose id is of another day than its commit is refused, by a service that is not ready', async () => {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 2 * 86_400_000);
  try {
    await expect(send(inbox.db, newMessage('late'))).rejects.toThrow(/the clock is a day or more off/);
    expect(await inbox.db.readiness()).toEqual({
      clock: expect.stringMatching(/^the clock is 48 hours off/),
    });
  } finally {
    clock.mockRestore();
  }
  expect((await send(inbox.db, newMessage('late'))).entries).toEqual([{ user: 'late', seq: 1 }]);
  expect(await inbox.db.readiness()).toBeNull();
});

describe('what changes tables, when the service stops', () => {
  const sleep = (client: Client): Promise<unknown> => client.query('SELECT pg_sleep(600)');

  test('is given up while it takes long', async () => {
    const stop = new AbortController();
    const working = inbox.db.maintain(sleep, stop.signal);
    const settled = Promise.allSettled([working]);
    await eventually('it runs', async () => {
      const rows = await inbox.database.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      );
      return rows.length === 1;
    });
    stop.abort();
    expect(await settled).toEqual([
      {
        status: 'rejected',
        reason: expect.objectContaining({ message: expect.stringMatching(/user request|terminated/) }),
      },
    ]);
  });

  test('is not begun, also where the stop comes while it connects', async () => {
    const stop = new AbortController();
    const work = jest.fn(sleep);
    const connecting = inbox.db.maintain(work, stop.signal);
    stop.abort();
    await expect(connecting).rejects.toThrow(/abort/);
    await expect(inbox.db.maintain(work, stop.signal)).rejects.toThrow(/abort/);
    expect(work).not.toHaveBeenCalled();
  });
});

it('has Postgres compile none of the hot statements: what they may not scan seems dear enough to it', async () => {
  // Forbidden plans cost 10,000,000,000, and compiling begins at 100,000 where Postgres was built for it.
  expect(await inbox.db.run({ name: 'show-jit', text: 'SHOW jit' }, [])).toEqual([{ jit: 'off' }]);
});
