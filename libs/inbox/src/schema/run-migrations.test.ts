import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { createTestDatabase, eventually, holdLocks, type TestDatabase, whenBlocked } from '@posthorn/testing';
import type { DataSource } from 'typeorm';
import { claim, fillInbox, migrate, newMessage, openInboxDatabase, send } from '../../test/inbox-fixture';
import type { InboxDatabase } from '../database/database';
import { moveCursors } from '../statements/move-cursors';
import { readEntries } from '../statements/read-entries';
import { runMigrations } from './run-migrations';
import { createDataSource, migrations } from './schema';

async function countMigrations(source: DataSource): Promise<number> {
  return (await source.query<object[]>('SELECT FROM posthorn_migration')).length;
}

let home: TestDatabase;
let empty: { url: string };
let db: InboxDatabase;

beforeAll(async () => {
  home = await createTestDatabase();
  const url = new URL(home.url);
  url.pathname += '_empty';
  await home.query(`CREATE DATABASE ${url.pathname.slice(1)}`);
  empty = { url: url.href };
  db = openInboxDatabase(url.href);
});

afterAll(async () => {
  await db.close();
  await home.query(`DROP DATABASE ${new URL(empty.url).pathname.slice(1)} WITH (FORCE)`);
  await home.drop();
});

test('§2: while the schema is behind, a service is unready and says so; no restart is needed after the migration', async () => {
  expect(await db.readiness()).toEqual({
    schema: `the schema is ${migrations.length} migration(s) behind: run pnpm migrate`,
  });
  // Several at once, as pods of a deploy might: one does it, the others find nothing to do.
  await Promise.all([1, 2, 3].map(() => migrate(empty)));
  expect(await db.readiness()).toBeNull();
  expect(await db.readiness()).toBeNull();
  expect((await send(db, newMessage('bob'))).entries).toEqual([{ user: 'bob', seq: 1 }]);
});

test('§2: messages come and go while the schema is brought up to date, and none is lost', async () => {
  const source = await createDataSource(empty.url).initialize();
  const inbox = openInboxDatabase(empty.url);
  const stop = new AbortController();
  try {
    while ((await countMigrations(source)) > 1) await source.undoLastMigration();
    const ids: string[] = [];
    const sending = [0, 1, 2, 3].map(async (nth) => {
      while (!stop.signal.aborted) ids.push((await send(inbox, newMessage(`user-${nth}`))).message.id);
    });
    const reading = [0, 1, 2, 3].map(async (nth) => {
      while (!stop.signal.aborted) {
        const [page] = await readEntries(inbox, [{ user: `user-${nth}`, after: 0, limit: 500 }]);
        expect(page?.skipped).toEqual([]);
      }
    });
    const working = Promise.all([...sending, ...reading]);
    await eventually('traffic flows', () => ids.length > 50);
    await migrate(empty);
    const before = ids.length;
    await eventually('traffic flows still', () => ids.length > before + 50);
    stop.abort();
    await working;
    const stored = await source.query<{ id: string }[]>(
      `SELECT m.id FROM message m JOIN inbox_entry e ON e.message_id = m.id WHERE e.user_id LIKE 'user-%'`,
    );
    expect(stored.map(({ id }) => id).sort()).toEqual(ids.sort());
  } finally {
    stop.abort();
    await inbox.close();
    await source.destroy();
  }
});

test('§2: a migration again changes nothing', async () => {
  const read = (): Promise<object[]> => home.query('SELECT epoch, since FROM epoch');
  const before = await read();
  await migrate(home);
  expect(await read()).toEqual(before);
  expect(before).toHaveLength(1);
});

test('§2: --new-epoch gives the inboxes a new epoch', async () => {
  const read = (): Promise<object[]> => home.query('SELECT epoch FROM epoch');
  const before = await read();
  await migrate(home, ['--new-epoch']);
  const after = await read();
  expect(after).toEqual([{ epoch: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
  expect(after).not.toEqual(before);
});

test('§2: --new-epoch leaves no cursor ahead of its inbox, and no device held by a connection of the life before', async () => {
  const inbox = openInboxDatabase(home.url);
  try {
    await fillInbox(inbox, 'bob', 5);
    for (const [device, cursor] of [
      ['ahead', 5],
      ['within', 2],
    ] as const) {
      const { fence, epoch } = await claim(inbox, 'bob', device);
      await moveCursors(inbox, [{ user: 'bob', device, fence, epoch, seq: cursor }]);
    }
    const { fence, epoch } = await claim(inbox, 'nobody');
    // What a restore leaves of them, where devices came from a later moment than the inboxes.
    await home.query('UPDATE inbox SET newest_seq = 3');
    await home.query("UPDATE device SET cursor = 9 WHERE user_id = 'nobody'");
    await migrate(home, ['--new-epoch']);
    expect(
      await home.query('SELECT user_id, device, cursor::int, gateway FROM device ORDER BY user_id, device'),
    ).toEqual([
      { user_id: 'bob', device: 'ahead', cursor: 3, gateway: null },
      { user_id: 'bob', device: 'within', cursor: 2, gateway: null },
      { user_id: 'nobody', device: 'phone', cursor: 0, gateway: null },
    ]);
    const [late] = await moveCursors(inbox, [{ user: 'nobody', device: 'phone', fence, epoch, seq: 9 }]);
    expect(late?.isHolder).toBe(false);
  } finally {
    await inbox.close();
  }
});

test('§2: --new-epoch waits for acknowledgements that are under way, and sees what they wrote', async () => {
  const inbox = openInboxDatabase(home.url);
  try {
    await fillInbox(inbox, 'carol', 3);
    await claim(inbox, 'carol');
    await home.query("UPDATE device SET gateway = NULL WHERE user_id = 'carol'");
    const commit = await holdLocks(home, "UPDATE device SET cursor = 5 WHERE user_id = 'carol'");
    const renewing = migrate(home, ['--new-epoch']);
    await whenBlocked(home);
    await commit();
    await renewing;
    const cursors = await home.query("SELECT cursor::int FROM device WHERE user_id = 'carol'");
    expect(cursors).toEqual([{ cursor: 3 }]);
  } finally {
    await inbox.close();
  }
});

test('§2: a table that something long holds is not waited for with all that comes after; the command says what to do', async () => {
  const epoch = await home.query('SELECT epoch FROM epoch');
  const release = await home.hold('LOCK TABLE device IN EXCLUSIVE MODE');
  try {
    const failure = migrate(home, ['--new-epoch'], 100);
    await expect(failure).rejects.toThrow(/a long transaction uses a table.*run this again/s);
  } finally {
    await release();
  }
  expect(await home.query('SELECT epoch FROM epoch')).toEqual(epoch);
});

test('the schema that the migrations make is the one that the entities describe', async () => {
  const source = await createDataSource(home.url).initialize();
  try {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  } finally {
    await source.destroy();
  }
});

test('the way back leaves nothing but the list of migrations', async () => {
  const source = await createDataSource(empty.url).initialize();
  try {
    for (const _ of migrations) await source.undoLastMigration();
    const tables: { tablename: string }[] = await source.query(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`,
    );
    expect(tables.map(({ tablename }) => tablename)).toEqual(['posthorn_migration']);
  } finally {
    await source.destroy();
  }
});

test.each([
  ['an unknown argument', ['--new-epcoh'], { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, 64, '--new-epcoh'],
  ['no DATABASE_URL', [], {}, 78, 'DATABASE_URL'],
  ['another database', [], { DATABASE_URL: 'mysql://u:hunter2@h/x' }, 78, 'DATABASE_URL must be a URL'],
  ['no URL', [], { DATABASE_URL: 'foo' }, 78, 'example: postgres://'],
  [
    'a bad encoding',
    [],
    { DATABASE_URL: 'postgres://us%zzer:hunter2@h/x' },
    78,
    'DATABASE_URL has a user name',
  ],
  [
    'a file that is not there',
    [],
    { DATABASE_URL_FILE: '/no/such' },
    78,
    'DATABASE_URL_FILE, but that file cannot be',
  ],
  ['Postgres out of reach', [], { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, 1, 'migration failed'],
])('§2: the command says what is wrong, with an exit code: %s', async (_name, args, env, code, words) => {
  const stdout = { write: jest.fn() };
  const stderr = { write: jest.fn() };
  expect(await runMigrations(args, env, { stdout, stderr })).toBe(code);
  const said = stderr.write.mock.calls.join('');
  expect(said).toContain(words);
  expect(said).not.toContain('hunter2');
  expect(stdout.write).not.toHaveBeenCalled();
});

test('§2: and ends with it', async () => {
  const command = spawn(process.execPath, [resolve(__dirname, '../../dist/migrate.js'), '--new-epcoh'], {
    env: {},
  });
  const [stderr, [exitCode]] = await Promise.all([text(command.stderr), once(command, 'exit')]);
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining('--new-epcoh')]);
});
