import {
  claim,
  countTo,
  epochOf,
  fillInbox,
  idOfSql,
  newMessage,
  openInboxDatabase,
  openTestInbox,
  type TestInbox,
} from '../../test/inbox-fixture';
import { acceptMessages } from '../commit/accept-messages';
import { keepPartitions } from '../schema/keep-partitions';
import { claimDevices } from './claim-devices';
import { compareInboxes } from './compare-inboxes';
import { moveCursors } from './move-cursors';
import { readEntriesOfEpoch } from './read-entries';
import { recordReads } from './record-reads';

/** Postgres makes the plan that it keeps at the sixth execution of a statement. */
const UNTIL_KEPT = 8;
/** Gone through once, so many rows show among the few that the statements need. */
const MANY = 5_000;

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

async function rowsRead(): Promise<number> {
  const [row] = await inbox.database.query<{ rows: string }>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS rows FROM pg_stat_user_tables WHERE relname <> 'epoch'`,
  );
  return Number(row?.rows);
}

const DAY_MS = 86_400_000;

test('a plan that was made while the tables were empty goes through no table once they have grown', async () => {
  // One connection, which keeps its plans, and whose statistics are written when it ends.
  const db = openInboxDatabase(inbox.database.url, { poolSize: 1 });
  // Rows of today are in one of several partitions.
  for (const day of [-20, -10, 0])
    await keepPartitions(db, { retentionDays: 40, nowMs: Date.now() + day * DAY_MS });
  const epoch = await epochOf(inbox);
  const useAll = async (user: string): Promise<void> => {
    const { fence } = await claim(db, user);
    const [id = ''] = await fillInbox(db, user, 2);
    await acceptMessages(db, [newMessage([user, `${user}-other`])]);
    await moveCursors(db, [{ user, device: 'phone', fence, epoch, seq: 1 }]);
    await readEntriesOfEpoch(db, [{ user, after: 0, limit: 10 }]);
    await recordReads(db, [{ user, ids: [id] }]);
    await compareInboxes(db, [{ user, device: 'phone' }]);
    await claimDevices(db, [{ user, device: 'phone', gateway: 'g2', holders: null }]);
  };
  try {
    for (const nth of countTo(UNTIL_KEPT)) await useAll(`early-${nth}`);
    await inbox.database.query(
      `WITH message AS (
         INSERT INTO message (id, sender, recipients, created_at)
         SELECT ${idOfSql('now()')}, 'alice', ARRAY['many'], now() FROM generate_series(1, ${MANY}) RETURNING id
       ), entry AS (
         INSERT INTO inbox_entry SELECT 'many-' || row_number() OVER (), 1, id FROM message
       ), inbox AS (
         INSERT INTO inbox SELECT 'many-' || nth, 1 FROM generate_series(1, ${MANY}) AS nth
       ), device AS (
         INSERT INTO device (user_id, device) SELECT 'many-' || nth, 'phone' FROM generate_series(1, ${MANY}) AS nth
       )
       INSERT INTO receipt SELECT id, 'many', now() FROM message`,
    );
    for (const nth of countTo(UNTIL_KEPT)) await useAll(`late-${nth}`);
  } finally {
    await db.close();
  }
  expect(await rowsRead()).toBeLessThan(MANY);
});
