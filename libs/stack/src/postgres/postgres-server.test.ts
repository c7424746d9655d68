import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { isAlive } from '../process/command-of';
import { type PostgresServer, startPostgres } from './postgres-server';

// As root this folder is closed to every other user, like a clone below /root.
const home = mkdtempSync(join(tmpdir(), 'posthorn-postgres-'));
const dir = join(home, 'a folder', 'postgres');
const settings = { fsync: 'off' };
let server: PostgresServer | undefined;

// One folder, and one server where it need not be another, from test to test: a start takes long.
afterAll(async () => {
  await server?.stop('immediate');
  rmSync(home, { recursive: true, force: true });
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: server?.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

it('starts a server on loopback only, with its own password and database', async () => {
  server = await startPostgres({ dir, settings });
  expect(await query('SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  expect(await query('SELECT current_database() AS name')).toEqual([{ name: 'posthorn' }]);
  const wrong = new Client({ connectionString: server.url.replace(/:[^:@]+@/, ':wrong@') });
  await expect(wrong.connect()).rejects.toThrow('password authentication failed');
});

it('keeps the data of a stopped and of a killed server', async () => {
  server ??= await startPostgres({ dir, settings });
  await query('CREATE TABLE kept AS SELECT 1 AS one');
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);

  server = await startPostgres({ dir, settings });
  expect(await query('SELECT one FROM kept')).toEqual([{ one: 1 }]);
  await query('INSERT INTO kept VALUES (2)');
  await server.stop('immediate');

  server = await startPostgres({ dir, settings, port: server.port });
  expect(await query('SELECT one FROM kept ORDER BY one')).toEqual([{ one: 1 }, { one: 2 }]);
});

it('starts where the lock file names a stranger, and syncs to disk unless told otherwise', async () => {
  server ??= await startPostgres({ dir, settings });
  const lockFile = join(server.dir, 'data', 'postmaster.pid');
  const lock = readFileSync(lockFile, 'utf8');
  await server.stop();
  writeFileSync(lockFile, lock.replace(/^\d+/, String(process.pid)));
  server = await startPostgres({ dir });
  expect(await query('SHOW fsync')).toEqual([{ fsync: 'on' }]);
});

it('tells why a server does not start, in its own words', async () => {
  server ??= await startPostgres({ dir, settings });
  await server.stop();
  appendFileSync(join(server.dir, 'data', 'postgresql.conf'), 'no_such_setting = 1\n');
  server = undefined;
  await expect(startPostgres({ dir, settings })).rejects.toThrow('no_such_setting');
});
