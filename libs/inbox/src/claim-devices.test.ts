import {
  claim,
  countTo,
  fillInbox,
  holderOf,
  newMessage,
  openTestInbox,
  send,
  type TestInbox,
} from '../test/inbox-fixture';
import { claimDevices } from './claim-devices';
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
  const { fence } = await claim(inbox.db, 'carol', 'phone');
  await claim(inbox.db, 'carol', 'desk');
  await moveCursors(inbox.db, [{ user: 'carol', device: 'phone', fence, seq: 3 }]);
  expect(await claim(inbox.db, 'carol', 'phone')).toMatchObject({ cursor: 3, newestSeq: 5 });
  expect(await claim(inbox.db, 'carol', 'desk')).toMatchObject({ cursor: 0, newestSeq: 5 });
});

test('§5: each claim raises the fence and tells who held the device, until that ended', async () => {
  const first = await claim(inbox.db, 'dave', 'phone', 'g1');
  const second = await claim(inbox.db, 'dave', 'phone', 'g2');
  expect(second).toMatchObject({ fence: first.fence + 1, previousGateway: 'g1' });
  expect(await holderOf(inbox, 'dave', 'phone')).toBe('g2');
  await releaseDevices(inbox.db, [{ user: 'dave', device: 'phone', fence: second.fence, wasOpen: true }]);
  expect(await holderOf(inbox, 'dave', 'phone')).toBeNull();
  expect(await claim(inbox.db, 'dave', 'phone', 'g3')).toMatchObject({
    fence: second.fence + 1,
    previousGateway: null,
  });
});

test('§5: a device that is claimed twice in one batch: the later is the newer', async () => {
  const claims = ['g1', 'g2', 'g3'].map((gateway) => ({ user: 'erin', device: 'phone', gateway }));
  const other = { user: 'erin', device: 'desk', gateway: 'g9' };
  const claimed = await claimDevices(inbox.db, [...claims, other]);
  expect(claimed.map(({ fence, previousGateway }) => [fence, previousGateway])).toEqual([
    [1, null],
    [2, 'g1'],
    [3, 'g2'],
    [1, null],
  ]);
  expect(await holderOf(inbox, 'erin', 'phone')).toBe('g3');
});

test('§5: two gateways that claim the same devices at once, in opposite orders, get a fence each', async () => {
  const pools = [inbox.db, inbox.openAnother()];
  const devices = countTo(20).map((index) => `device-${index}`);
  const results = await Promise.all(
    countTo(8).map(async (index) => {
      const order = index % 2 === 0 ? devices : devices.toReversed();
      const claimed = await claimDevices(
        pools[index % 2] ?? inbox.db,
        order.map((device) => ({ user: 'frank', device, gateway: `g${index}` })),
      );
      return new Map(order.map((device, nth) => [device, claimed[nth]?.fence]));
    }),
  );
  for (const device of devices) {
    const fences = results.map((result) => result.get(device) ?? 0);
    expect(fences.sort((a, b) => a - b)).toEqual(countTo(8));
  }
});

test('a batch of nothing is nothing', async () => {
  expect(await claimDevices(inbox.db, [])).toEqual([]);
});
