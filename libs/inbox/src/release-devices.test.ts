import { claim, holderOf, openTestInbox, type TestInbox } from '../test/inbox-fixture';
import { findLastSeen } from './find-last-seen';
import { releaseDevices } from './release-devices';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

test('§4: lastSeenAt is when the last connection ended; without one the user is absent', async () => {
  const before = new Date(Date.now() - 60_000).toISOString();
  const phone = await claim(inbox.db, 'bob', 'phone');
  expect(await findLastSeen(inbox.db, ['bob', 'nobody'])).toEqual(new Map());
  await releaseDevices(inbox.db, [{ user: 'bob', device: 'phone', fence: phone.fence, wasOpen: true }]);
  const first = (await findLastSeen(inbox.db, ['bob', 'nobody'])).get('bob') ?? '';
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(first > before).toBe(true);
  const desk = await claim(inbox.db, 'bob', 'desk');
  expect((await findLastSeen(inbox.db, ['bob'])).get('bob')).toBe(first);
  await releaseDevices(inbox.db, [{ user: 'bob', device: 'desk', fence: desk.fence, wasOpen: true }]);
  const second = (await findLastSeen(inbox.db, ['bob'])).get('bob') ?? '';
  expect(second >= first).toBe(true);
});

test('§5: a late disconnect of an older connection does not end what a newer one holds', async () => {
  const old = await claim(inbox.db, 'carol', 'phone', 'g1');
  await claim(inbox.db, 'carol', 'phone', 'g2');
  await releaseDevices(inbox.db, [{ user: 'carol', device: 'phone', fence: old.fence, wasOpen: true }]);
  expect(await holderOf(inbox, 'carol', 'phone')).toBe('g2');
  expect(await findLastSeen(inbox.db, ['carol'])).toEqual(new Map());
});

test('§4: a connection that was given up before it was open was not seen', async () => {
  const { fence } = await claim(inbox.db, 'erin', 'phone');
  await releaseDevices(inbox.db, [{ user: 'erin', device: 'phone', fence, wasOpen: false }]);
  expect(await holderOf(inbox, 'erin', 'phone')).toBeNull();
  expect(await findLastSeen(inbox.db, ['erin'])).toEqual(new Map());
});

test('several devices are released at once; one that is not known is nothing', async () => {
  const holds = await Promise.all(
    ['a', 'b'].map(async (device) => ({
      user: 'dave',
      device,
      fence: (await claim(inbox.db, 'dave', device)).fence,
      wasOpen: true,
    })),
  );
  await releaseDevices(inbox.db, [...holds, { user: 'dave', device: 'ghost', fence: 1, wasOpen: true }]);
  for (const device of ['a', 'b', 'ghost']) {
    expect(await holderOf(inbox, 'dave', device)).toBeNull();
  }
});
