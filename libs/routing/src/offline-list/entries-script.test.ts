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

async function fill(user: string, texts: readonly string[]): Promise<void> {
  await routing.client.rpush(routing.keys.offline(user), ...texts);
}

async function entries(user: string, after: number, limit: number): Promise<string[]> {
  return await process.redis.run(['posthornEntries', routing.keys.offline(user), after, limit]);
}

const entry = (seq: number): string => `{"seq":${seq},"epoch":"e"}`;

test('§6: returns nothing for a list that is not there', async () => {
  expect(await entries('nobody', 0, 10)).toEqual([]);
});

test.each([
  ['from the beginning', 4, 3, [5, 6, 7]],
  ['before the beginning', 0, 2, [5, 6]],
  ['from the middle', 6, 2, [7, 8]],
  ['to the end', 7, 10, [8, 9]],
  ['at the end', 9, 10, []],
  ['beyond the end', 900, 10, []],
])('§6: returns the entries beyond after, up to the limit: %s', async (name, after, limit, seqs) => {
  await fill(name, [5, 6, 7, 8, 9].map(entry));
  expect(await entries(name, after, limit)).toEqual(seqs.map(entry));
});

test('§6: reading takes nothing out', async () => {
  await fill('bob', [1, 2, 3].map(entry));
  expect(await entries('bob', 0, 10)).toEqual(await entries('bob', 0, 10));
  expect(await routing.client.llen(routing.keys.offline('bob'))).toBe(3);
});

test.each(['rubbish', '"text"', '{"seq":"1"}', '{}', '['.repeat(2_000)])(
  '§6: returns the head of the list where its first entry is no entry: %.10s',
  async (rubbish) => {
    await fill(rubbish, [rubbish, entry(1), entry(2)]);
    expect(await entries(rubbish, 5, 2)).toEqual([rubbish, entry(1)]);
  },
);
