import { InboxDatabase, keepPartitions, type PartitionsKept } from '@posthorn/inbox';
import { loadSendApiSettings, type PeriodicWork } from '@posthorn/runtime';
import {
  createServiceContext,
  createTestDatabase,
  eventually,
  TEST_SECRET,
  type TestDatabase,
} from '@posthorn/testing';
import { PATIENT } from '../../test/patient-waits';
import { createPartitionKeeper } from './partition-keeper';

/** The first round comes within this time. */
const FIRST_ROUND_MS = 1_500;
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
  inbox = InboxDatabase.open({ url: database.url, log, waits: PATIENT.database });
});

afterAll(async () => {
  await inbox.close();
  await database.drop();
});

/** Starts it on a clock that is moved to its first round. */
function startAtOnce(keeper: PeriodicWork): void {
  jest.useFakeTimers();
  keeper.start();
  jest.advanceTimersByTime(FIRST_ROUND_MS);
  jest.useRealTimers();
}

test('a service sees to the partitions soon after its start', async () => {
  const rounds: PartitionsKept[] = [];
  const keeper = createPartitionKeeper({
    keep: (signal) => keepPartitions(inbox, { retentionDays: null, signal }),
    onKept: (kept) => void rounds.push(kept),
    log,
  });
  startAtOnce(keeper);
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
  const keeper = createPartitionKeeper({
    keep: async () => {
      const outcome = outcomes.shift() ?? NOTHING;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    onKept: () => undefined,
    log,
  });
  const waitMs = await keeper.run();
  expect(await keeper.run()).toBeLessThan(waitMs);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', overdue: 2, message: 'partitions not kept' });
  expect(await keeper.run()).toBeLessThan(waitMs);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', message: 'partitions not kept' });
});

test('a stop gives up the round that runs', async () => {
  const keeper = createPartitionKeeper({
    keep: (signal) =>
      inbox.maintain(async (client) => {
        await client.query('SELECT pg_sleep(600)');
        return NOTHING;
      }, signal),
    onKept: () => undefined,
    log,
  });
  startAtOnce(keeper);
  await eventually('it runs', async () => {
    const rows = await database.query(`SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`);
    return rows.length === 1;
  });
  await keeper.stop();
  const rows = await database.query(
    `SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'`,
  );
  expect(rows).toEqual([]);
});
