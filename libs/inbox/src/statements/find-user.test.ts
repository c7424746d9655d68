import { claim, fillInbox, openTestInbox, type TestInbox } from '../../test/inbox-fixture';
import { findUser } from './find-user';
import { releaseDevices } from './release-devices';

let inbox: TestInbox;

beforeAll(async () => {
  inbox = await openTestInbox();
});

afterAll(async () => {
  await inbox.drop();
});

test('tells how far the inbox goes, and of each device by name', async () => {
  await fillInbox(inbox.db, 'bob', 3);
  await claim(inbox.db, 'bob', 'phone', 'g1');
  const { fence, epoch } = await claim(inbox.db, 'bob', 'laptop', 'g2');
  await releaseDevices(inbox.db, [{ user: 'bob', device: 'laptop', fence, epoch, gateway: 'g2' }]);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\S+Z$/);
  expect(await findUser(inbox.db, 'bob')).toEqual({
    newestSeq: 3,
    devices: [
      { device: 'laptop', cursor: 0, gateway: null, connectedAt: time, lastSeenAt: time },
      { device: 'phone', cursor: 0, gateway: 'g1', connectedAt: time, lastSeenAt: null },
    ],
  });
});

test('has nothing to tell of somebody who was never heard of', async () => {
  expect(await findUser(inbox.db, 'nobody')).toEqual({ newestSeq: 0, devices: [] });
});
