import { claim, epochOf, fillInbox, holderOf, openTestInbox, type TestInbox } from '../../test/inbox-fixture';
import type { ClaimedDevice } from './claim-devices';
import { findLastSeen } from './find-last-seen';
import { moveCursors } from './move-cursors';
import { type DeviceRelease, releaseDevices } from './release-devices';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

/** The end of an open connection. */
function endOf(user: string, device: string, claimed: ClaimedDevice, gateway = 'g1'): DeviceRelease {
  return { user, device, gateway, fence: claimed.fence, epoch: claimed.epoch };
}

/** The end of a claim of which no connection came. */
function undoOf(user: string, claimed: ClaimedDevice, gateway: string): DeviceRelease {
  return { ...endOf(user, 'phone', claimed, gateway), undo: { previousGateway: claimed.previousGateway } };
}

/** Fence and gateway of a device; null where it is not known. */
async function holdOf(user: string): Promise<[fence: number, gateway: string | null] | null> {
  const [row] = await inbox.database.query<{ fence: string; gateway: string | null }>(
    "SELECT fence, gateway FROM device WHERE user_id = $1 AND device = 'phone'",
    [user],
  );
  return row === undefined ? null : [Number(row.fence), row.gateway];
}

test('§4: lastSeenAt is when the last connection ended; without one the user is absent', async () => {
  const before = new Date(Date.now() - 60_000).toISOString();
  const phone = await claim(inbox.db, 'bob', 'phone');
  expect(await findLastSeen(inbox.db, ['bob', 'nobody'])).toEqual(new Map());
  await releaseDevices(inbox.db, [endOf('bob', 'phone', phone)]);
  const first = (await findLastSeen(inbox.db, ['bob', 'nobody'])).get('bob') ?? '';
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(first > before).toBe(true);
  const desk = await claim(inbox.db, 'bob', 'desk');
  expect((await findLastSeen(inbox.db, ['bob'])).get('bob')).toBe(first);
  await releaseDevices(inbox.db, [endOf('bob', 'desk', desk)]);
  const second = (await findLastSeen(inbox.db, ['bob'])).get('bob') ?? '';
  expect(second >= first).toBe(true);
});

test('§5: a late disconnect of an older connection does not end what a newer one holds', async () => {
  const old = await claim(inbox.db, 'carol', 'phone', 'g1');
  await claim(inbox.db, 'carol', 'phone', 'g2');
  expect(await releaseDevices(inbox.db, [endOf('carol', 'phone', old)])).toEqual([{ isCovered: false }]);
  expect(await holderOf(inbox, 'carol', 'phone')).toBe('g2');
  expect(await findLastSeen(inbox.db, ['carol'])).toEqual(new Map());
});

test('§5: nor does one of another life of the inboxes, in which the token was another connection’s', async () => {
  const { fence } = await claim(inbox.db, 'frank', 'phone', 'g1');
  await releaseDevices(inbox.db, [
    { user: 'frank', device: 'phone', gateway: 'g1', fence, epoch: 'the life before' },
  ]);
  expect(await holderOf(inbox, 'frank', 'phone')).toBe('g1');
});

test('§5: a claim of which no connection came is undone: the connection before it goes on', async () => {
  await fillInbox(inbox.db, 'grace', 2);
  const living = await claim(inbox.db, 'grace', 'phone', 'g1');
  const refused = await claim(inbox.db, 'grace', 'phone', 'g2');
  await releaseDevices(inbox.db, [undoOf('grace', refused, 'g2')]);
  expect(await holdOf('grace')).toEqual([living.fence, 'g1']);
  const { fence, epoch } = living;
  const [moved] = await moveCursors(inbox.db, [{ user: 'grace', device: 'phone', fence, epoch, seq: 2 }]);
  expect(moved).toMatchObject({ isHolder: true, cursor: 2 });
  expect(await findLastSeen(inbox.db, ['grace'])).toEqual(new Map());
});

test('§5: two such claims, one over the other, are both undone, in whatever order that is tried', async () => {
  const living = await claim(inbox.db, 'heidi', 'phone', 'g1');
  const lower = await claim(inbox.db, 'heidi', 'phone', 'g2');
  const upper = await claim(inbox.db, 'heidi', 'phone', 'g3');
  const both = [undoOf('heidi', lower, 'g2'), undoOf('heidi', upper, 'g3')];
  expect(await releaseDevices(inbox.db, both)).toEqual([{ isCovered: true }, { isCovered: false }]);
  expect(await releaseDevices(inbox.db, both)).toEqual([{ isCovered: false }, { isCovered: false }]);
  expect(await holdOf('heidi')).toEqual([living.fence, 'g1']);
});

test('§5: one that is undone twice takes nothing from the claim that got its token next', async () => {
  await claim(inbox.db, 'ivan', 'phone', 'g1');
  const refused = await claim(inbox.db, 'ivan', 'phone', 'g2');
  const undo = undoOf('ivan', refused, 'g2');
  await releaseDevices(inbox.db, [undo]);
  const next = await claim(inbox.db, 'ivan', 'phone', 'g3');
  await releaseDevices(inbox.db, [undo]);
  expect(await holdOf('ivan')).toEqual([next.fence, 'g3']);
});

test('§6: a new device that was refused is not known any more: nothing waits for its acknowledgement', async () => {
  const { fence, epoch } = await claim(inbox.db, 'erin', 'phone');
  await releaseDevices(inbox.db, [
    { user: 'erin', device: 'phone', gateway: 'g1', fence, epoch, undo: { previousGateway: null } },
  ]);
  expect(await holdOf('erin')).toBeNull();

  // One that was connected before stays known.
  await releaseDevices(inbox.db, [endOf('erin', 'phone', await claim(inbox.db, 'erin', 'phone'))]);
  const again = await claim(inbox.db, 'erin', 'phone');
  await releaseDevices(inbox.db, [undoOf('erin', again, 'g1')]);
  expect(await holdOf('erin')).toEqual([1, null]);
});

test('several devices are released at once; one that is not known is nothing', async () => {
  const holds = await Promise.all(
    ['a', 'b'].map(async (device) => endOf('dave', device, await claim(inbox.db, 'dave', device))),
  );
  const ghost = { user: 'dave', device: 'ghost', gateway: 'g1', fence: 1, epoch: await epochOf(inbox) };
  await releaseDevices(inbox.db, [...holds, ghost]);
  for (const device of ['a', 'b', 'ghost']) {
    expect(await holderOf(inbox, 'dave', device)).toBeNull();
  }
});
