import { openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
  process = await routing.start();
});

afterAll(async () => {
  await routing.close();
});

const entry = (seq: number, epoch = 'e'): string => `{"seq":${seq},"epoch":"${epoch}"}`;

async function trim(texts: readonly string[], through: number): Promise<{ dropped: number; left: string[] }> {
  const key = routing.keys.offline('bob');
  await routing.client.del(key);
  if (texts.length > 0) await routing.client.rpush(key, ...texts);
  const dropped = await process.redis.run(['posthornTrim', key, through, 'e']);
  return { dropped, left: await routing.client.lrange(key, 0, -1) };
}

test('§6: returns 0 for a list that is not there', async () => {
  expect(await trim([], 5)).toEqual({ dropped: 0, left: [] });
});

test('§6: returns how many were dropped: what every device has', async () => {
  const list = [1, 2, 3, 4].map((seq) => entry(seq));
  expect(await trim(list, 0)).toEqual({ dropped: 0, left: list });
  expect(await trim(list, 2)).toEqual({ dropped: 2, left: list.slice(2) });
  expect(await trim(list, 4)).toEqual({ dropped: 4, left: [] });
  expect(await routing.client.exists(routing.keys.offline('bob'))).toBe(0);
});

test('§6: entries out of order are found wherever they are', async () => {
  const list = [2, 1, 5, 3, 6, 4].map((seq) => entry(seq));
  expect(await trim(list, 4)).toEqual({ dropped: 4, left: [entry(5), entry(6)] });
});

test('§6: an entry that is there twice goes twice, or stays twice', async () => {
  const list = [1, 5, 1, 5].map((seq) => entry(seq));
  expect(await trim(list, 3)).toEqual({ dropped: 2, left: [entry(5), entry(5)] });
});

test('§6: entries of another epoch go, whatever their seq', async () => {
  const list = [entry(9, 'old'), entry(1), entry(8, 'old'), entry(2)];
  expect(await trim(list, 1)).toEqual({ dropped: 3, left: [entry(2)] });
});

test('§6: what is no entry goes', async () => {
  const list = ['rubbish', entry(7), '', 'null', '{"seq":"9","epoch":"e"}', '[]', entry(8), '{"epoch":"e"}'];
  expect(await trim(list, 3)).toEqual({ dropped: 6, left: [entry(7), entry(8)] });
});
