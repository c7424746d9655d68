import { eventually } from '@posthorn/testing';
import { countTo, openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
  process = await routing.start();
});

afterAll(async () => {
  await routing.close();
});

const SECOND_US = 1_000_000;

async function take(user: string, stepUs: number, burst: number): Promise<[number, number, number]> {
  return await process.redis.run(['posthornTakeSend', routing.keys.sends(user), stepUs, burst]);
}

test('§2: returns 1 and how many are left, down to the end of the burst', async () => {
  const taken: unknown[] = [];
  for (const _ of countTo(4)) taken.push(await take('bob', 100 * SECOND_US, 4));
  expect(taken).toEqual([
    [1, 3, 0],
    [1, 2, 0],
    [1, 1, 0],
    [1, 0, 0],
  ]);
});

test('§2: returns 0 and how long until one is free, and takes nothing by being refused', async () => {
  await take('carol', 100 * SECOND_US, 1);
  const waits: number[] = [];
  for (const _ of countTo(5)) {
    const [isAllowed, left, waitUs] = await take('carol', 100 * SECOND_US, 1);
    expect([isAllowed, left]).toEqual([0, 0]);
    waits.push(waitUs);
  }
  expect(waits).toEqual(waits.toSorted((a, b) => b - a));
  expect(Math.max(...waits)).toBeLessThanOrEqual(100 * SECOND_US);
  expect(Math.min(...waits)).toBeGreaterThan(90 * SECOND_US);
});

test('§2: one is free again after its time, and no more than one', async () => {
  const stepUs = 100 * SECOND_US;
  expect([(await take('dave', stepUs, 1))[0], (await take('dave', stepUs, 1))[0]]).toEqual([1, 0]);
  // Redis' clock cannot be moved; what it is compared with can.
  await routing.client.decrby(routing.keys.sends('dave'), stepUs);
  expect([(await take('dave', stepUs, 1))[0], (await take('dave', stepUs, 1))[0]]).toEqual([1, 0]);
});

test('§2: a bucket that is full again is gone', async () => {
  await take('erin', 50_000, 4);
  expect(await routing.client.pttl(routing.keys.sends('erin'))).toBeLessThanOrEqual(50);
  await eventually(
    'the key is gone',
    async () => (await routing.client.exists(routing.keys.sends('erin'))) === 0,
  );
  expect(await take('erin', 50_000, 4)).toEqual([1, 3, 0]);
});

test('§2: a rate that does not divide a second gives the whole burst', async () => {
  const taken = await Promise.all(countTo(12).map(() => take('frank', SECOND_US / 3, 12)));
  expect(taken.map(([isAllowed]) => isAllowed)).toEqual(countTo(12).map(() => 1));
});
