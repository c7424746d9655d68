import {
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
  process = await routing.start();
});

afterAll(async () => {
  await routing.close();
});

test('§6: what was routed is read as it was, from the cursor on, as often as one likes', async () => {
  const messages = [1, 2, 3, 4].map((seq) =>
    routable({ bob: seq }, { text: ` 😀 ${seq}\u0001`, data: { z: 1, a: 2 } }),
  );
  await process.router.route(messages);
  const expected = messages.map((message, index) => ({
    seq: index + 1,
    epoch: EPOCH,
    message: seen(message),
  }));
  expect(await process.list.read('bob', 0, 10)).toEqual(expected);
  expect(await process.list.read('bob', 2, 1)).toEqual(expected.slice(2, 3));
  expect(await process.list.read('bob', 0, 10)).toEqual(expected);
  expect(await process.list.read('nobody', 0, 10)).toEqual([]);
});

test('§6: what is no entry is left out', async () => {
  const rubbish = [
    'x',
    '{}',
    '{"seq":0,"epoch":"e"}',
    '{"seq":1.5,"epoch":"e"}',
    '{"seq":2}',
    '{"seq":3,"epoch":"e","message":{}}',
  ];
  await routing.client.rpush(routing.keys.offline('carol'), ...rubbish, '{"seq":4,"epoch":"e"}');
  expect(await process.list.read('carol', 0, 10)).toEqual([{ seq: 4, epoch: 'e' }]);
});

test('§6: lists are trimmed together, each to its own devices’ cursor; those left empty are known', async () => {
  const names = ['t1', 't2', 't3'];
  await process.router.route(
    [1, 2, 3].map((seq) => routable(Object.fromEntries(names.map((name) => [name, seq])))),
  );
  expect(await process.list.findNonEmpty([...names, 't4'])).toEqual({ waiting: names, unreached: [] });
  const trimmed = await process.list.trim([
    { user: 't1', cursor: 3, epoch: EPOCH },
    { user: 't2', cursor: 1, epoch: EPOCH },
    { user: 't3', cursor: 0, epoch: EPOCH },
    { user: 't4', cursor: 9, epoch: EPOCH },
  ]);
  expect(trimmed).toEqual({ dropped: 4, unreached: [] });
  expect(await process.list.findNonEmpty([...names, 't4'])).toMatchObject({ waiting: ['t2', 't3'] });
  expect((await process.list.read('t2', 0, 10)).map(({ seq }) => seq)).toEqual([2, 3]);
});

test('§6: after a new epoch nothing of the old one is left', async () => {
  await process.router.route([routable({ dave: 8 }), routable({ dave: 9 })]);
  expect(await process.list.trim([{ user: 'dave', cursor: 0, epoch: 'epoch-2' }])).toMatchObject({
    dropped: 2,
  });
});
