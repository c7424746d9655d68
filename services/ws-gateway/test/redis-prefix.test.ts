import { GatewayFixture } from './gateway.fixture';

let ours: GatewayFixture;
let theirs: GatewayFixture;

beforeAll(async () => {
  [ours, theirs] = await Promise.all([GatewayFixture.open(), GatewayFixture.open()]);
});
afterAll(() => Promise.all([ours.close(), theirs.close()]));

test('§2.3: two deployments in one Redis, each with its REDIS_PREFIX, do not see each other', async () => {
  const [here, there] = [await ours.start(), await theirs.start()];
  const user = 'the-same-user';
  const client = await here.connectLive(user);
  expect(await theirs.presence(user)).toEqual({});
  expect(await theirs.leases()).toHaveLength(1);

  // Routed there: nobody holds the user there, so it is listed, and nothing of it comes here.
  await theirs.send('alice', user, ['for them']);
  expect(await theirs.listed(user)).toEqual([1]);
  expect(await ours.listed(user)).toEqual([]);

  const other = await there.connect(user);
  expect(await other.nextOf('message')).toMatchObject({ seq: 1, message: { text: 'for them' } });
  await other.nextOf('caughtUp');
  await theirs.disconnect(user);
  expect(await other.closed).toMatchObject({ code: 4503 });

  await ours.send('alice', user, ['for us']);
  expect(await client.nextOf('message')).toMatchObject({ seq: 1, message: { text: 'for us' } });
  expect(client.frames.filter(({ type }) => type === 'message')).toHaveLength(1);
});
