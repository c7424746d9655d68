import {
  BRIEF,
  claim,
  countTo,
  epochOf,
  fillInbox,
  openTestInbox,
  type TestInbox,
} from '../../test/inbox-fixture';
import { LockedError, OutageError } from '../database/outage';
import { claimDevices } from '../statements/claim-devices';
import { moveCursors } from '../statements/move-cursors';
import { type ReadRequest, recordReads } from '../statements/record-reads';
import { releaseDevices } from '../statements/release-devices';
import { commitAroundLocks } from './commit-around-locks';
import { deviceLock, readerLock } from './lock-wait';

let inbox: TestInbox;
let epoch = '';
let holder: Awaited<ReturnType<TestInbox['openSession']>>;
const users = countTo(8).map((index) => `user-${index}`);
const [held = ''] = users;

beforeAll(async () => {
  inbox = await openTestInbox();
  for (const user of users) await fillInbox(inbox.db, user, 1);
  await claimDevices(
    inbox.db,
    users.map((user) => ({ user, device: 'phone', gateway: 'g1', holders: [] })),
  );
  epoch = await epochOf(inbox);
  holder = await inbox.openSession();
});

beforeEach(async () => {
  await holder.query('BEGIN');
});

afterEach(async () => {
  await holder.query('ROLLBACK');
});

afterAll(async () => {
  await inbox.drop();
});

function expectOnlyHeldFails(outcomes: readonly unknown[], lock: string): void {
  expect(outcomes).toHaveLength(users.length);
  expect(outcomes[0]).toBeInstanceOf(LockedError);
  expect(outcomes[0]).toMatchObject({ locks: [lock] });
  expect(outcomes.slice(1).filter((outcome) => outcome instanceof Error)).toEqual([]);
}

async function lockDevice(): Promise<void> {
  await holder.query('SELECT * FROM device WHERE user_id = $1 FOR UPDATE', [held]);
}

test('§5.5: a device that another transaction holds fails nobody else’s acknowledgement', async () => {
  await lockDevice();
  const moves = users.map((user) => ({ user, device: 'phone', fence: 1, epoch, seq: 1 }));
  const outcomes = await commitAroundLocks(
    moves,
    null,
    {
      commit: (some, lockWaitMs) => moveCursors(inbox.db, some, lockWaitMs),
      locksOf: (move) => [deviceLock(move)],
    },
    BRIEF,
  );
  expectOnlyHeldFails(outcomes, `device ${held} phone`);
  expect(outcomes[1]).toMatchObject({ isHolder: true, cursor: 1 });
});

test('§5.1: nor anybody else’s connect, nor the record of its end', async () => {
  await lockDevice();
  const claims = users.map((user) => ({ user, device: 'phone', gateway: 'g2', holders: [] }));
  expectOnlyHeldFails(
    await commitAroundLocks(
      claims,
      null,
      {
        commit: (some, lockWaitMs) => claimDevices(inbox.db, some, lockWaitMs),
        locksOf: (each) => [deviceLock(each)],
      },
      BRIEF,
    ),
    `device ${held} phone`,
  );
  const holds = users.map((user) => {
    const fence = user === held ? 1 : 2;
    return { user, device: 'phone', fence, epoch, gateway: `g${fence}` };
  });
  expectOnlyHeldFails(
    await commitAroundLocks(
      holds,
      null,
      {
        commit: (some, lockWaitMs) => releaseDevices(inbox.db, some, lockWaitMs),
        locksOf: (each) => [deviceLock(each)],
      },
      BRIEF,
    ),
    `device ${held} phone`,
  );
});

test('§4.4: a receipt that another transaction holds fails nobody else’s', async () => {
  const reads = await Promise.all(
    users.map(async (user): Promise<ReadRequest> => ({ user, ids: await fillInbox(inbox.db, user, 1) })),
  );
  const { fence } = await claim(inbox.db, held);
  await moveCursors(inbox.db, [{ user: held, device: 'phone', fence, epoch, seq: 9 }]);
  await holder.query('SELECT * FROM receipt WHERE user_id = $1 FOR UPDATE', [held]);
  const outcomes = await commitAroundLocks(
    reads,
    null,
    {
      commit: (some, lockWaitMs) => recordReads(inbox.db, some, lockWaitMs),
      locksOf: (read) => [readerLock(read)],
    },
    BRIEF,
  );
  expectOnlyHeldFails(outcomes, `reader ${held}`);
});

test('§4.8: an outage is everybody’s, and no part of the batch is tried again', async () => {
  let calls = 0;
  const outcomes = await commitAroundLocks(users, null, {
    commit: async () => {
      calls += 1;
      throw new OutageError('gone');
    },
    locksOf: () => [],
  });
  expect(outcomes.every((outcome) => outcome instanceof OutageError)).toBe(true);
  expect(calls).toBe(1);
});
