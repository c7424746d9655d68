import { eventually } from '@posthorn/testing';
import { openInboxDatabase, openTestInbox, type TestInbox } from '../../test/inbox-fixture';
import { TABLES } from '../schema/schema';
import { InboxDatabase } from './database';
import { type DurabilityFacts, faultOfDurability, risksOfDurability } from './durability';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(() => inbox.drop());

const SOUND: DurabilityFacts = {
  synchronous_commit: 'on',
  fsync: 'on',
  full_page_writes: 'on',
  unlogged: [],
};

test('§2.5: a database that keeps what it commits is ready', async () => {
  expect(await inbox.db.readiness()).toBeNull();
  for (const synchronous_commit of ['on', 'local', 'remote_write', 'remote_apply']) {
    expect(faultOfDurability({ ...SOUND, synchronous_commit })).toBeNull();
  }
});

test.each(TABLES)('§2.5: an UNLOGGED %s makes the service unready until it is logged', async (table) => {
  // Of a table in partitions these are what is written to.
  const [row] = await inbox.database.query<{ name: string }>(
    `SELECT coalesce(min(inhrelid::regclass::text), $1) AS name FROM pg_inherits WHERE inhparent = $1::regclass`,
    [table],
  );
  const name = row?.name ?? table;
  await inbox.database.query(`ALTER TABLE ${name} SET UNLOGGED`);
  expect(await inbox.db.readiness()).toEqual({ durability: expect.stringContaining(`(${name})`) });
  await inbox.database.query(`ALTER TABLE ${name} SET LOGGED`);
  expect(await inbox.db.readiness()).toBeNull();
});

test('§2.5: every table that the migrations make is looked at', async () => {
  const rows = await inbox.database.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace`,
  );
  expect(rows.map(({ name }) => name).sort()).toEqual([...TABLES].sort());
});

test('§2.5: synchronous_commit off for the database makes the service unready, also one that runs already', async () => {
  const name = new URL(inbox.database.url).pathname.slice(1);
  await inbox.database.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  const fresh = openInboxDatabase(inbox.database.url);
  try {
    expect(await fresh.readiness()).toEqual({ durability: expect.stringContaining('synchronous_commit') });
    await inbox.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'posthorn'`,
    );
    await eventually('new connections have the setting', async () => {
      const missing = await inbox.db.readiness();
      return missing !== null && 'durability' in missing;
    });
  } finally {
    await inbox.database.query(`ALTER DATABASE ${name} RESET synchronous_commit`);
    await fresh.close();
  }
});

test('§2.5: fsync and full_page_writes off are a warning, said once', async () => {
  expect(risksOfDurability(SOUND)).toEqual([]);
  expect(risksOfDurability({ ...SOUND, fsync: 'off', full_page_writes: 'off' })).toEqual([
    'fsync',
    'full_page_writes',
  ]);
  const [server] = await inbox.database.query<{ fsync: string }>('SHOW fsync');
  const warn = jest.fn();
  const db = InboxDatabase.open({ url: inbox.database.url, log: { warn } });
  await db.readiness();
  await db.readiness();
  await db.close();
  const said = warn.mock.calls.filter(([message]) => message === 'Postgres may lose commits');
  expect(said).toHaveLength(server?.fsync === 'off' ? 1 : 0);
});
