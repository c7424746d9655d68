import {
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Client, connect, memoryStore } from '@posthorn/client';
import { migrateDatabase, type PostgresServer, startPostgres } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { Client as PostgresClient } from 'pg';
import { World } from './fixture';

let folder: string;
let archive: string;
let postgres: PostgresServer;
let world: World;
let app: Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-restore-'));
  postgres = await startPostgres({ dir: join(folder, 'postgres') });
  archive = join(postgres.dir, 'archive');
  mkdirSync(archive);
  own(archive);
  await postgres.stop();
  postgres = await startPostgres({
    dir: postgres.dir,
    port: postgres.port,
    settings: {
      archive_mode: 'on',
      archive_command: `test ! -f '${archive}/%f' && cp '%p' '${archive}/%f'`,
    },
  });
  await migrateDatabase(postgres.url);
  world = await World.start({ env: { DATABASE_URL: postgres.url, RECONCILE_INTERVAL_MS: '500' } });
});

afterAll(async () => {
  await app?.close();
  await world?.stop();
  await postgres?.stop('immediate');
  rmSync(folder, { recursive: true, force: true });
});

it('§5.1: after a restore to a moment, inboxes, cursors, receipts and clients go on from there', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const store = memoryStore();
  const texts: string[] = [];
  const open = (): Client => {
    const client = connect({
      url: world.gateways[0]?.url.replace('http', 'ws') ?? '',
      token: () => world.token(bob),
      device: 'app',
      store,
    });
    client.on('message', ({ message }) => void texts.push(message.text ?? ''));
    return client;
  };
  app = open();
  const phone = await world.connect(bob, { device: 'phone' });
  const welcome = await phone.nextOf('welcome');

  for (const text of ['1', '2']) await world.send(alice, bob, text);
  const backup = await takeBackup();
  // From here on the archive alone has it.
  const kept = await world.send(alice, bob, '3');
  await eventually('the app has them', () => texts.length === 3);
  await acknowledge(phone, 3);
  await eventually('delivered', async () => (await world.receipts(alice, kept.id))[0]?.deliveredAt !== null);
  const receipts = await world.receipts(alice, kept.id);
  const moment = await now();

  // What the restore takes back: these were lost with the days after the moment.
  const lost = await world.send(alice, bob, 'lost 4');
  await world.send(alice, bob, 'lost 5');
  await eventually('the app has those too', () => texts.length === 5);
  await acknowledge(phone, 5);

  await restore(backup, moment);
  await eventually('the services work on it', async () => {
    const ready = await fetch(`${world.sendApis[0]?.adminUrl}/readyz`);
    return ready.status === 200;
  });
  await migrateDatabase(postgres.url, ['--new-epoch']);
  // Whoever was connected all the while is sent away, and told where it is when it comes back.
  expect((await phone.closed).code).toBe(1012);
  const again = await world.connect(bob, { device: 'phone', after: '5', epoch: welcome.epoch });
  const fresh = await again.nextOf('welcome');
  expect(fresh).toMatchObject({ reset: true, after: 3, lastSeq: 3 });
  expect(fresh.epoch).not.toBe(welcome.epoch);
  await again.nextOf('caughtUp');

  // The places of what was lost are given anew, and nobody takes the new ones for the old.
  await world.send(alice, bob, 'new 4');
  await world.send(alice, bob, 'new 5');
  expect(await again.nextOf('message')).toMatchObject({ seq: 4, message: { text: 'new 4' } });
  expect(await again.nextOf('message')).toMatchObject({ seq: 5, message: { text: 'new 5' } });
  await eventually('the app has the new ones', () => texts.length === 7);
  expect(texts).toEqual(['1', '2', '3', 'lost 4', 'lost 5', 'new 4', 'new 5']);

  const tablet = await world.connect(bob, { device: 'tablet' });
  await tablet.nextOf('caughtUp');
  expect(tablet.all('message').map(({ seq, message }) => [seq, message.text])).toEqual([
    [1, '1'],
    [2, '2'],
    [3, '3'],
    [4, 'new 4'],
    [5, 'new 5'],
  ]);
  expect(await world.receipts(alice, kept.id)).toEqual(receipts);
  expect((await world.ask(alice, `/v1/messages/${lost.id}`)).status).toBe(404);
});

async function acknowledge(client: Awaited<ReturnType<World['connect']>>, seq: number): Promise<void> {
  await eventually(`the phone has ${seq}`, () => client.all('message').length === seq);
  client.send({ type: 'ack', seq, ref: seq });
  await client.nextOf('ok');
}

/** What `pg_basebackup` does, which does not come with the tests' Postgres. */
async function takeBackup(): Promise<string> {
  const backup = join(postgres.dir, 'backup');
  const session = new PostgresClient({ connectionString: postgres.url });
  await session.connect();
  try {
    await session.query(`SELECT pg_backup_start('base', true)`);
    const data = join(postgres.dir, 'data');
    const isLeftOut = (path: string): boolean =>
      basename(dirname(path)) === 'pg_wal' || ['postmaster.pid', 'postmaster.opts'].includes(basename(path));
    // Files come and go beneath: one that is gone is in the archive.
    cpSync(data, backup, { recursive: true, filter: (path) => existsSync(path) && !isLeftOut(path) });
    const { rows } = await session.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(true)');
    writeFileSync(join(backup, 'backup_label'), rows[0]?.labelfile ?? '');
  } finally {
    await session.end();
  }
  return backup;
}

/** Postgres dies with all its data; another one begins with the backup and follows the archive up to the moment. */
async function restore(backup: string, moment: string): Promise<void> {
  const [{ wal } = { wal: '' }] = await ask<{ wal: string }>(
    'SELECT pg_walfile_name(pg_switch_wal()) AS wal',
  );
  await eventually('all is archived', async () => {
    const [row] = await ask<{ is_done: boolean | null }>(
      `SELECT last_archived_wal >= '${wal}' AS is_done FROM pg_stat_archiver`,
    );
    return row?.is_done ?? false;
  });
  await postgres.stop('immediate');
  const data = join(postgres.dir, 'data');
  rmSync(data, { recursive: true });
  cpSync(backup, data, { recursive: true });
  mkdirSync(join(data, 'pg_wal'), { recursive: true });
  writeFileSync(join(data, 'recovery.signal'), '');
  own(data);
  postgres = await startPostgres({
    dir: postgres.dir,
    port: postgres.port,
    settings: {
      restore_command: `cp '${archive}/%f' '%p'`,
      recovery_target_time: moment,
      recovery_target_action: 'promote',
    },
  });
}

/** The moment after all that was committed. */
async function now(): Promise<string> {
  const [row] = await ask<{ now: string }>(`SELECT clock_timestamp()::text AS now, pg_sleep(0.05)`);
  return row?.now ?? '';
}

async function ask<Row extends object>(sql: string): Promise<Row[]> {
  const client = new PostgresClient({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Gives files to whom Postgres runs as. */
function own(path: string): void {
  const { uid, gid } = statSync(postgres.dir);
  lchownSync(path, uid, gid);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) own(join(path, name));
}
