import {
  claim,
  countTo,
  fillInbox,
  holderOf,
  newMessage,
  openTestInbox,
  PATIENT_MS,
  send,
  type TestInbox,
} from '../../test/inbox-fixture';
import { claimDevices } from './claim-devices';
import { findConnectedDevices } from './find-connected-devices';
import { moveCursors } from './move-cursors';
import { releaseDevices } from './release-devices';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

test('§5: a new device starts at the inbox’s beginning', async () => {
  await fillInbox(inbox.db, 'bob', 3);
  const { epoch } = await send(inbox.db, newMessage('bob'));
  expect(await claim(inbox.db, 'bob')).toEqual({
    cursor: 0,
    fence: 1,
    previousGateway: null,
    newestSeq: 4,
    epoch,
  });
});

test('§5: a device of a user without an inbox is known all the same', async () => {
  expect(await claim(inbox.db, 'nobody')).toMatchObject({ cursor: 0, fence: 1, newestSeq: 0 });
});

test('§5: a device that comes back starts at its cursor, whatever the other device has', async () => {
  await fillInbox(inbox.db, 'carol', 5);
  const { fence, epoch } = await claim(inbox.db, 'carol', 'phone');
  await claim(inbox.db, 'carol', 'desk');
  await moveCursors(inbox.db, [{ user: 'carol', device: 'phone', fence, epoch, seq: 3 }]);
  expect(await claim(inbox.db, 'carol', 'phone')).toMatchObject({ cursor: 3, newestSeq: 5 });
  expect(await claim(inbox.db, 'carol', 'desk')).toMatchObject({ cursor: 0, newestSeq: 5 });
});

test('§5: each claim raises the fence and tells who held the device, until that ended', async () => {
  const first = await claim(inbox.db, 'dave', 'phone', 'g1');
  const second = await claim(inbox.db, 'dave', 'phone', 'g2');
  expect(second).toMatchObject({ fence: first.fence + 1, previousGateway: 'g1' });
  expect(await holderOf(inbox, 'dave', 'phone')).toBe('g2');
  const { fence, epoch } = second;
  await releaseDevices(inbox.db, [{ user: 'dave', device: 'phone', fence, epoch, gateway: 'g2' }]);
  expect(await holderOf(inbox, 'dave', 'phone')).toBeNull();
  expect(await claim(inbox.db, 'dave', 'phone', 'g3')).toMatchObject({
    fence: second.fence + 1,
    previousGateway: null,
  });
});

test('§5: two gateways that claim the same devices at once, in opposite orders, get a fence each', async () => {
  const other = await openTestInbox();
  await other.slowInserts('device', 2);
  const pools = [other.db, other.openAnother()];
  const devices = countTo(20).map((index) => `device-${index}`);
  const results = await Promise.all(
    countTo(8).map(async (index) => {
      const order = index % 2 === 0 ? devices : devices.toReversed();
      const claimed = await claimDevices(
        pools[index % 2] ?? other.db,
        order.map((device) => ({ user: 'frank', device, gateway: `g${index}`, holders: null })),
        PATIENT_MS,
      );
      return new Map(order.map((device, nth) => [device, claimed[nth]?.fence]));
    }),
  );
  for (const device of devices) {
    const fences = results.map((result) => result.get(device) ?? 0);
    expect(fences.sort((a, b) => a - b)).toEqual(countTo(8));
  }
  expect(await other.countDeadlocks()).toBe(0);
  await other.drop();
});

test.each<[string, readonly string[] | null, string[]]>([
  ['from a gateway that holds the user keeps its rank', ['g1', 'g2'], ['first', 'second']],
  ['keeps its rank where nobody knows who lives', null, ['first', 'second']],
  ['of what a dead gateway left behind is a newcomer', ['g2'], ['second', 'first']],
  ['of what nobody held is a newcomer', [], ['second', 'first']],
])('§5: among the connections of a user a claim %s', async (_name, holders, ranked) => {
  const user = `rank-${holders?.join('-') ?? 'unknown'}`;
  await claim(inbox.db, user, 'first', 'g1');
  await claim(inbox.db, user, 'second', 'g2');
  await claim(inbox.db, user, 'first', 'g3', holders);
  const connected = await findConnectedDevices(inbox.db, user, ['g1', 'g2', 'g3']);
  expect(connected.map(({ device }) => device)).toEqual(ranked);
});

test('a batch of nothing is nothing', async () => {
  expect(await claimDevices(inbox.db, [])).toEqual([]);
});
