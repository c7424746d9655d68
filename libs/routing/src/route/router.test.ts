import { eventually } from '@posthorn/testing';
import {
  countTo,
  EPOCH,
  openTestRouting,
  routable,
  seen,
  type TestProcess,
  type TestRouting,
} from '../../test/routing-fixture';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
});

beforeEach(async () => {
  process = await routing.start();
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  await routing.close();
});

async function hold(gateway: string, ...users: string[]): Promise<void> {
  await process.presence.hold(
    gateway,
    users.map((user) => ({ user, count: 1 })),
  );
}

async function listOf(user: string): Promise<unknown[]> {
  const texts = await routing.client.lrange(routing.keys.offline(user), 0, -1);
  return texts.map((text): unknown => JSON.parse(text));
}

test('§6: entries of users whom nobody holds are listed, oldest first, as the users see them', async () => {
  const [first, second] = [routable({ off1: 2, alice: 1 }), routable({ off1: 1 }, { data: { b: 1, a: [] } })];
  expect(await process.router.route([first, second])).toEqual({ published: 0, listed: 3, unknown: 0 });
  expect(await listOf('off1')).toEqual([
    { seq: 1, epoch: EPOCH, message: seen(second) },
    { seq: 2, epoch: EPOCH, message: seen(first) },
  ]);
  expect(await listOf('alice')).toEqual([{ seq: 1, epoch: EPOCH, message: first.message }]);
});

test('§6: a live gateway gets one publish for all users and messages that concern it', async () => {
  const notices = await routing.listen('many');
  const users = countTo(50).map((index) => `many-${index}`);
  await hold('many', ...users);
  const batch = countTo(10).map((seq) => routable(Object.fromEntries(users.map((user) => [user, seq]))));
  expect(await process.router.route(batch)).toEqual({ published: 500, listed: 0, unknown: 0 });
  await eventually('the notice', () => notices.length > 0);
  expect(notices).toHaveLength(1);
  const [notice] = notices;
  if (notice?.type !== 'entries') throw new Error('no entries');
  expect(notice.items).toHaveLength(10);
  for (const [index, item] of notice.items.entries()) {
    expect(item).toEqual({
      epoch: EPOCH,
      to: users.map((user) => [user, index + 1]),
      message: batch[index] && seen(batch[index]),
    });
  }
  expect(await listOf('many-1')).toEqual([]);
});

test('§6: every gateway that holds the user gets it', async () => {
  const [one, two] = [await routing.listen('both-1'), await routing.listen('both-2')];
  await hold('both-1', 'both');
  await hold('both-2', 'both');
  expect(await process.router.route([routable({ both: 1 })])).toEqual({
    published: 1,
    listed: 0,
    unknown: 0,
  });
  await eventually('both notices', () => one.length === 1 && two.length === 1);
});

test('§4: the sender’s own devices get to, everybody else’s do not', async () => {
  const notices = await routing.listen('own');
  await hold('own', 'sender', 'reader');
  const message = routable({ reader: 4, sender: 7 }, { from: 'sender' });
  await process.router.route([message]);
  await eventually('the notice', () => notices.length > 0);
  expect(notices).toEqual([
    {
      type: 'entries',
      items: [
        { epoch: EPOCH, to: [['reader', 4]], message: seen(message) },
        { epoch: EPOCH, to: [['sender', 7]], message: message.message },
      ],
    },
  ]);
});

test('§6: a batch for users here, there and nowhere goes its three ways', async () => {
  const [here, there] = [await routing.listen('here'), await routing.listen('there')];
  await hold('here', 'mix-1', 'mix-2');
  await hold('there', 'mix-2', 'mix-3');
  const summary = await process.router.route([
    routable({ 'mix-1': 1, 'mix-2': 1, 'mix-4': 1 }),
    routable({ 'mix-3': 1, 'mix-4': 2 }),
  ]);
  expect(summary).toEqual({ published: 3, listed: 2, unknown: 0 });
  await eventually('both notices', () => here.length === 1 && there.length === 1);
  expect(here).toMatchObject([
    {
      items: [
        {
          to: [
            ['mix-1', 1],
            ['mix-2', 1],
          ],
        },
      ],
    },
  ]);
  expect(there).toMatchObject([{ items: [{ to: [['mix-2', 1]] }, { to: [['mix-3', 1]] }] }]);
  expect(await listOf('mix-4')).toMatchObject([{ seq: 1 }, { seq: 2 }]);
});

test('§6: a large message travels without its content, on the channel and in the list', async () => {
  const notices = await routing.listen('large');
  await hold('large', 'large-on');
  const large = routable({ 'large-on': 1, 'large-off': 2 }, { text: 'x'.repeat(5_000) });
  expect(await process.router.route([large])).toEqual({ published: 1, listed: 1, unknown: 0 });
  await eventually('the notice', () => notices.length > 0);
  expect(notices).toEqual([{ type: 'entries', items: [{ epoch: EPOCH, to: [['large-on', 1]] }] }]);
  expect(await listOf('large-off')).toEqual([{ seq: 2, epoch: EPOCH }]);
});

test('§6: a publish that reaches nobody falls back to the list, whatever the lease says', async () => {
  await routing.lease('deaf');
  await hold('deaf', 'deaf-1', 'deaf-2');
  const message = routable({ 'deaf-1': 1, 'deaf-2': 1 });
  expect(await process.router.route([message])).toEqual({ published: 0, listed: 2, unknown: 0 });
  expect(await listOf('deaf-1')).toEqual([{ seq: 1, epoch: EPOCH, message: seen(message) }]);
});

test('§6: while one of the gateways that hold the user listens, nothing is listed', async () => {
  const notices = await routing.listen('hears');
  await routing.lease('hears-not');
  await hold('hears', 'half');
  await hold('hears-not', 'half');
  expect(await process.router.route([routable({ half: 1 })])).toEqual({
    published: 1,
    listed: 0,
    unknown: 0,
  });
  await eventually('the notice', () => notices.length > 0);
});

test('§6: without its lease, what a gateway said of presence does not count', async () => {
  await hold('gone', 'left');
  expect(await process.router.route([routable({ left: 1 })])).toEqual({
    published: 0,
    listed: 1,
    unknown: 0,
  });
  expect(await routing.client.hkeys(routing.keys.presence('left'))).toEqual(['gone']);
});

test('§6: a gateway that started a moment ago is looked up when it is met, not taken as dead', async () => {
  await routing.listen('older');
  await hold('older', 'early');
  await process.router.route([routable({ early: 1 })]);
  const notices = await routing.listen('younger');
  await routing.client.hset(routing.keys.presence('late'), 'younger', 1);
  expect(await process.router.route([routable({ late: 1 })])).toEqual({
    published: 1,
    listed: 0,
    unknown: 0,
  });
  await eventually('the notice', () => notices.length > 0);
});

test('§6: which gateways live is known at most 1 s late', async () => {
  await routing.listen('ending');
  await hold('ending', 'fresh');
  const route = (seq: number): Promise<object> => process.router.route([routable({ fresh: seq })]);
  expect(await route(1)).toMatchObject({ published: 1 });
  await routing.client.del(routing.keys.lease('ending'));
  const later = Date.now() + 1_000;
  jest.spyOn(Date, 'now').mockImplementation(() => later);
  expect(await route(2)).toMatchObject({ listed: 1 });
});

test('§6: what a gateway said is removed once it was seen without a lease for a minute, not before', async () => {
  const start = Date.now();
  const now = jest.spyOn(Date, 'now').mockImplementation(() => start);
  await hold('dying', 'stale');
  for (const [passedS, fields] of [
    [0, ['dying']],
    [30, ['dying']],
    [59, ['dying']],
    [61, []],
  ] as const) {
    now.mockImplementation(() => start + passedS * 1_000);
    expect(await process.router.route([routable({ stale: 1 })])).toMatchObject({ listed: 1 });
    expect([passedS, await routing.client.hkeys(routing.keys.presence('stale'))]).toEqual([passedS, fields]);
  }
});

test('§6: a paused gateway that comes back under its id counts again', async () => {
  await hold('paused', 'waiting');
  expect(await process.router.route([routable({ waiting: 1 })])).toMatchObject({ listed: 1 });
  await routing.listen('paused');
  const later = Date.now() + 1_000;
  jest.spyOn(Date, 'now').mockImplementation(() => later);
  expect(await process.router.route([routable({ waiting: 2 })])).toMatchObject({ published: 1 });
});

test('§2: the cap and the life of the list are those of the settings', async () => {
  const { router } = await routing.start({ limits: { max: 2, ttlS: 10_000 } });
  await router.route([1, 2, 3].map((seq) => routable({ capped: seq })));
  expect(await listOf('capped')).toMatchObject([{ seq: 2 }, { seq: 3 }]);
  const ttl = await routing.client.ttl(routing.keys.offline('capped'));
  expect([ttl > 9_000, ttl <= 10_000]).toEqual([true, true]);
});

test('nothing to route is nothing', async () => {
  expect(await process.router.route([])).toEqual({ published: 0, listed: 0, unknown: 0 });
});

test('§6: a wrong kind of key in one user’s way costs that user’s fast path only', async () => {
  await routing.client.set(routing.keys.offline('broken'), 'not a list');
  expect(await process.router.route([routable({ broken: 1, whole: 1 })])).toEqual({
    published: 0,
    listed: 1,
    unknown: 1,
  });
});
