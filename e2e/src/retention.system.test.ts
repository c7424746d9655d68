import { connect, memoryStore, type SkippedRange } from '@posthorn/client';
import { createTestDatabase, eventually, type TestDatabase } from '@posthorn/testing';
import { World } from './fixture';

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await world.stop();
  await database.drop();
});

/** The first 13 characters of an id of that time. */
function idStart(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** Partitions as they are after a while: one ends, and the next begins, so many days ago. */
async function divide(days: number): Promise<void> {
  const bound = `'${idStart(Math.floor(Date.now() / DAY_MS - days) * DAY_MS)}-0000-0000-000000000000'`;
  for (const table of ['message', 'inbox_entry', 'receipt']) {
    await database.query(`
      ALTER TABLE ${table} DETACH PARTITION ${table}_from_start;
      ALTER TABLE ${table} ATTACH PARTITION ${table}_from_start FOR VALUES FROM (MINVALUE) TO (${bound});
      CREATE TABLE ${table}_from_then PARTITION OF ${table} ${table === 'inbox_entry' ? '(PRIMARY KEY (user_id, seq))' : ''}
        FOR VALUES FROM (${bound}) TO (MAXVALUE)`);
  }
}

/** What an inbox has of messages that came so many days ago, one each; the first `acked` were acknowledged by the phone. */
async function fillBefore(user: string, days: readonly number[], acked: number): Promise<string[]> {
  const ids = days.map(
    (each, index) => `${idStart(Date.now() - each * DAY_MS)}-7000-8000-${String(index).padStart(12, '0')}`,
  );
  await database.query(
    `INSERT INTO message (id, sender, recipients, text, created_at)
     SELECT id, 'alice', ARRAY[$3], 'n' || nth, now() - days * interval '1 day'
     FROM unnest($1::uuid[], $2::float8[]) WITH ORDINALITY AS old (id, days, nth)`,
    [ids, days, user],
  );
  await database.query(
    'INSERT INTO inbox_entry SELECT $2, nth, id FROM unnest($1::uuid[]) WITH ORDINALITY AS old (id, nth)',
    [ids, user],
  );
  await database.query('INSERT INTO inbox VALUES ($1, $2)', [user, ids.length]);
  await database.query('INSERT INTO device (user_id, device, cursor) VALUES ($1, $2, $3)', [
    user,
    'phone',
    acked,
  ]);
  await database.query('INSERT INTO receipt SELECT id, $2, now() FROM unnest($1::uuid[]) AS id', [
    ids.slice(0, acked),
    user,
  ]);
  return ids;
}

it('§5.2: a device that was away longer than messages are kept is told what it missed, and goes on behind it', async () => {
  await divide(40);
  const ids = await fillBefore('bob', [60, 55, 50, 45, 35, 1], 2);
  world = await World.start({
    env: { DATABASE_URL: database.url, RETENTION_DAYS: String(RETENTION_DAYS) },
    patientWith: ['postgres'],
  });
  const statusOf = async (path: string): Promise<number> => (await world.ask('alice', path)).status;
  await eventually('the old partition is dropped', async () => {
    const tables = await database.query(`SELECT FROM pg_class WHERE relname LIKE '%_from_start'`);
    return tables.length === 0;
  });
  await eventually(
    'it is counted',
    async () => (await metricOf(world, 'posthorn_partition_changes_total{change="dropped"}')) === 3,
  );
  await world.send('alice', 'bob', 'today');

  // As whoever asks for them by id.
  expect(await statusOf(`/v1/messages/${ids[3]}`)).toBe(404);
  expect(await statusOf(`/v1/messages/${ids[3]}/receipts`)).toBe(404);
  expect(await statusOf(`/v1/messages/${ids[4]}`)).toBe(200);

  const phone = await world.connect('bob', { device: 'phone' });
  await phone.nextOf('caughtUp');
  expect(phone.frames).toMatchObject([
    { type: 'welcome', after: 2, lastSeq: 7 },
    { type: 'skipped', from: 3, to: 4 },
    { type: 'message', seq: 5, message: { text: 'n5' } },
    { type: 'message', seq: 6, message: { text: 'n6' } },
    { type: 'message', seq: 7, message: { text: 'today' } },
    { type: 'caughtUp', seq: 7 },
  ]);
  phone.send({ type: 'ack', seq: 7, ref: 7 });
  await phone.nextOf('ok');

  // Our client, by socket and by HTTP.
  for (const url of [world.gateways[0]?.url.replace('http', 'ws') ?? '', 'ws://127.0.0.1:1']) {
    const seen: (string | SkippedRange)[] = [];
    const client = connect({
      url,
      api: world.sendApis[0]?.url ?? '',
      token: () => world.token('bob'),
      device: url.endsWith(':1') ? 'polling' : 'tablet',
      store: memoryStore(),
    });
    client.on('error', () => undefined);
    client.on('skipped', (range) => void seen.push(range));
    client.on('message', ({ message }) => void seen.push(message.text ?? ''));
    try {
      await eventually('everything', () => seen.length === 4);
    } finally {
      await client.close();
    }
    expect(seen).toEqual([{ from: 1, to: 4 }, 'n5', 'n6', 'today']);
  }
  const page = await world.ask('bob', '/v1/inbox?after=1');
  expect(page.body).toMatchObject({ skipped: [{ from: 2, to: 4 }], lastSeq: 7 });
});

/** A metric of all send-apis together. */
async function metricOf({ sendApis }: World, name: string): Promise<number> {
  const pages = await Promise.all(
    sendApis.map(async ({ adminUrl }) => await (await fetch(`${adminUrl}/metrics`)).text()),
  );
  const lines = pages.flatMap((page) => page.split('\n')).filter((line) => line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}
