import { InboxDatabase, keepPartitions, type PartitionsKept } from '@posthorn/inbox';
import { loadSendApiSettings } from '@posthorn/runtime';
import {
  createServiceContext,
  createTestDatabase,
  eventually,
  TEST_SECRET,
  type TestDatabase,
} from '@posthorn/testing';
import { PartitionKeeper } from './partition-keeper';

const NOTHING: PartitionsKept = { added: 0, dropped: 0, overdue: 0, fault: null };
const { log, lines } = createServiceContext(
  'send-api',
  loadSendApiSettings({
    DATABASE_URL: 'postgres://x/x',
    REDIS_URL: 'redis://x',
    AUTH_JWT_SECRET: TEST_SECRET,
  }),
);
let database: TestDatabase;
let inbox: InboxDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  inbox = InboxDatabase.open({ url: database.url, log });
});

afterAll(async () => {
  await inbox.close();
  await database.drop();
});

test('a service sees to the partitions soon after its start', async () => {
  const rounds: PartitionsKept[] = [];
  const keeper = new PartitionKeeper({
    keep: (signal) => keepPartitions(inbox, { retentionDays: null, signal }),
    onKept: (kept) => void rounds.push(kept),
    log,
  });
  keeper.start();
  await eventually('a round', () => rounds.length > 0);
  await keeper.stop();
  expect(rounds).toEqual([{ ...NOTHING, added: 6 }]);
  expect(lines.at(-1)).toMatchObject({ message: 'partitions changed', added: 6, dropped: 0 });
});

test('a round that fails is over, and says why; so does one that left something to do', async () => {
  const outcomes: (PartitionsKept | Error)[] = [
    NOTHING,
    { ...NOTHING, overdue: 2, fault: new Error('must be owner of table message') },
    new Error('no Postgres'),
  ];
  const keeper = new PartitionKeeper({
    keep: async () => {
      const outcome = outcomes.shift() ?? NOTHING;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    onKept: () => undefined,
    log,
  });
  expect(await keeper.keep()).toBe(true);
  expect(await keeper.keep()).toBe(false);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', overdue: 2, message: 'partitions not kept' });
  expect(await keeper.keep()).toBe(false);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', message: 'partitions not kept' });
});

test('a stop gives up the round that runs', async () => {
  const keeper = new PartitionKeeper({
    keep: (signal) =>
      inbox.maintain(async (client) => {
        await client.query('SELECT pg_sleep(60)');
        return NOTHING;
      }, signal),
    onKept: () => undefined,
    log,
  });
  keeper.start();
  await eventually('it runs', async () => {
    const rows = await database.query(`SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'`);
    return rows.length === 1;
  });
  const began = performance.now();
  await keeper.stop();
  expect(performance.now() - began).toBeLessThan(3_000);
  const rows = await database.query(
    `SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`,
  );
  expect(rows).toEqual([]);
});
