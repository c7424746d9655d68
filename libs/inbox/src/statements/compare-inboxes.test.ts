import { claim, fillInbox, migrate, openTestInbox, type TestInbox } from '../../test/inbox-fixture';
import { compareInboxes } from './compare-inboxes';
import { findConnectedDevices } from './find-connected-devices';
import { findLowestCursors } from './find-lowest-cursors';
import { moveCursors } from './move-cursors';
import { releaseDevices } from './release-devices';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

test('§1: reconcile’s query gives the newest seq and the holder of each device, in the order asked', async () => {
  await fillInbox(inbox.db, 'bob', 3);
  await claim(inbox.db, 'bob', 'phone');
  await claim(inbox.db, 'bob', 'phone');
  const { epoch } = await claim(inbox.db, 'quiet', 'desk');
  const held = [
    { user: 'quiet', device: 'desk' },
    { user: 'bob', device: 'gone' },
    { user: 'bob', device: 'phone' },
    { user: 'bob', device: 'phone' },
  ];
  expect(await compareInboxes(inbox.db, held)).toEqual({
    epoch,
    devices: [
      { newestSeq: 0, fence: 1 },
      { newestSeq: 3, fence: null },
      { newestSeq: 3, fence: 2 },
      { newestSeq: 3, fence: 2 },
    ],
  });
});

test('§2: a new epoch is seen by whatever asks next, and positions stay', async () => {
  await fillInbox(inbox.db, 'carol', 2);
  const before = await claim(inbox.db, 'carol');
  await migrate(inbox.database, ['--new-epoch']);
  const after = await compareInboxes(inbox.db, [{ user: 'carol', device: 'phone' }]);
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.devices).toEqual([{ newestSeq: 2, fence: before.fence }]);
  expect(await claim(inbox.db, 'carol')).toMatchObject({ epoch: after.epoch, newestSeq: 2 });
});

test('§6: the list may be trimmed to what every known device has acknowledged', async () => {
  await fillInbox(inbox.db, 'dave', 5);
  const [phone, desk] = [await claim(inbox.db, 'dave', 'phone'), await claim(inbox.db, 'dave', 'desk')];
  const { epoch } = desk;
  const lowest = (): ReturnType<typeof findLowestCursors> => findLowestCursors(inbox.db, ['dave', 'nobody']);
  await moveCursors(inbox.db, [
    { user: 'dave', device: 'phone', fence: phone.fence, epoch: phone.epoch, seq: 4 },
  ]);
  expect(await lowest()).toEqual([{ user: 'dave', cursor: 0, epoch }]);
  await moveCursors(inbox.db, [
    { user: 'dave', device: 'desk', fence: desk.fence, epoch: desk.epoch, seq: 2 },
  ]);
  expect(await lowest()).toEqual([{ user: 'dave', cursor: 2, epoch }]);
});

test('§2: connections beyond the limit are those that connected last; what a dead gateway held does not count', async () => {
  const { db } = inbox;
  for (const [device, gateway] of [
    ['a', 'dead'],
    ['b', 'g1'],
    ['c', 'g2'],
    ['d', 'g1'],
    ['e', 'g2'],
  ] as const) {
    await claim(db, 'erin', device, gateway);
  }
  const ended = await claim(db, 'erin', 'f', 'g1');
  await releaseDevices(db, [{ user: 'erin', device: 'f', gateway: 'g1', ...ended }]);
  const surplus = (await findConnectedDevices(db, 'erin', ['g1', 'g2'])).slice(2);
  expect(surplus).toEqual([
    { user: 'erin', device: 'd', gateway: 'g1' },
    { user: 'erin', device: 'e', gateway: 'g2' },
  ]);
  await claim(db, 'erin', 'b', 'g2');
  const ranked = await findConnectedDevices(db, 'erin', ['g1', 'g2']);
  // Who takes over keeps the place of the connection before.
  expect(ranked.map(({ device }) => device)).toEqual(['b', 'c', 'd', 'e']);
  expect(ranked[0]?.gateway).toBe('g2');
});
