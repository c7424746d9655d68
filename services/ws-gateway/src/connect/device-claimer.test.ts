import { claimDevices, InboxDatabase } from '@posthorn/inbox';
import { createTestDatabase, holdLocks, type TestDatabase, whenBlocked } from '@posthorn/testing';
import { patient, range } from '../../test/gateway.fixture';
import { DeviceClaimer } from './device-claimer';

// As it is; only its calls are counted.
jest.mock('@posthorn/inbox', () => {
  const actual = jest.requireActual<typeof import('@posthorn/inbox')>('@posthorn/inbox');
  return { ...actual, claimDevices: jest.fn(actual.claimDevices) };
});

let database: TestDatabase;
let db: InboxDatabase;
let claimer: DeviceClaimer;
let release: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  db = InboxDatabase.open({
    url: database.url,
    log: { warn: () => undefined },
    waits: patient.databaseWaits,
  });
  claimer = new DeviceClaimer(db, 100);
});
afterEach(() => release());
afterAll(async () => {
  await db.close();
  await database.drop();
});

async function fenceOf(user: string, gateway = 'g1'): Promise<number> {
  const claim = { user, device: 'phone', gateway, holders: null };
  return (await claimer.claim({ claim, connect: { isOver: false } })).fence;
}

async function holderOf(user: string): Promise<string | null | undefined> {
  const [row] = await database.query<{ gateway: string | null }>(
    'SELECT gateway FROM device WHERE user_id = $1',
    [user],
  );
  return row?.gateway;
}

test('§5.1: a device that is claimed several times in one batch: the later is the newer', async () => {
  const fences = ['g1', 'g2', 'g3'].map((gateway) => fenceOf('erin', gateway));
  expect(await Promise.all([...fences, fenceOf('frank')])).toEqual([1, 2, 3, 1]);
  expect(await holderOf('erin')).toBe('g3');
});

test('§5: connects that wait are claimed together', async () => {
  const unlock = await holdLocks(database, 'LOCK TABLE device IN ACCESS EXCLUSIVE MODE');
  jest.mocked(claimDevices).mockClear();
  const first = fenceOf('waiting-1');
  await whenBlocked(database, 1);
  const second = fenceOf('waiting-2');
  await whenBlocked(database, 2);
  const others = range(3, 60).map((n) => fenceOf(`waiting-${n}`));
  await unlock();
  expect(await Promise.all([first, second, ...others])).toEqual(Array(60).fill(1));
  expect(jest.mocked(claimDevices)).toHaveBeenCalledTimes(3);
});

test('§5.1: a second claim that meets a locked row is refused alone', async () => {
  await database.query(`
    CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$`);
  // A new device is inserted without it: the first claim passes, the second waits.
  await database.query(`
    CREATE TRIGGER wait_for_test BEFORE UPDATE ON device FOR EACH ROW
    WHEN (NEW.user_id = 'grace') EXECUTE FUNCTION wait_for_test()`);
  release = await database.hold('SELECT pg_advisory_xact_lock(1)', []);
  const [first, second, third, ...others] = await Promise.allSettled(
    ['grace', 'grace', 'grace', 'heidi', 'ivan'].map((user) => fenceOf(user)),
  );
  expect(first).toEqual({ status: 'fulfilled', value: 1 });
  expect([second?.status, third?.status]).toEqual(['rejected', 'rejected']);
  expect(others).toEqual(others.map(() => ({ status: 'fulfilled', value: 1 })));
});
