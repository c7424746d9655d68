import { eventually, FaultProxy } from '@posthorn/testing';
import { countTo, openTestRouting, PATIENT, type TestRouting } from '../../test/routing-fixture';
import { SendLimiter } from './send-limiter';

let routing: TestRouting;

beforeAll(() => {
  routing = openTestRouting();
});

afterAll(async () => {
  await routing.close();
});

afterEach(() => {
  jest.restoreAllMocks();
});

test('§2: a burst is 4 times the sustained rate; then one is free after its time', async () => {
  const limiter = new SendLimiter((await routing.start()).redis, routing.keys, 1);
  expect(limiter.burst).toBe(4);
  // In one trip, so that Redis counts them within one moment.
  const limits = await Promise.all(countTo(5).map(() => limiter.take('bob')));
  expect(limits.slice(0, 4)).toEqual(
    [3, 2, 1, 0].map((remaining) => ({ isAllowed: true, remaining, retryAfterMs: 0 })),
  );
  expect(limits[4]).toEqual({ isAllowed: false, remaining: 0, retryAfterMs: expect.any(Number) });
  expect(limits[4]?.retryAfterMs).toBeGreaterThan(0);
  expect(limits[4]?.retryAfterMs).toBeLessThanOrEqual(1_000);
  expect(await limiter.take('carol')).toMatchObject({ isAllowed: true, remaining: 3 });
});

test('§2: the rate holds over processes together: burst and then the sustained rate, no more', async () => {
  const perSecond = 100;
  const processes = [await routing.start(), await routing.start()];
  const limiters = processes.map(({ redis }) => new SendLimiter(redis, routing.keys, perSecond));
  const take = async (count: number): Promise<number> => {
    const limits = await Promise.all(countTo(count).map((index) => limiters[index % 2]?.take('dave')));
    return limits.filter((limit) => limit?.isAllowed).length;
  };
  const began = performance.now();
  const most = (): number => 400 + Math.ceil(((performance.now() - began) / 1_000) * perSecond);
  // More than the burst of each process alone.
  let allowed = await take(1_000);
  expect(allowed).toBeGreaterThanOrEqual(400);
  expect(allowed).toBeLessThanOrEqual(most());
  await eventually('the sustained rate', async () => {
    allowed += await take(10);
    expect(allowed).toBeLessThanOrEqual(most());
    return allowed >= 440;
  });
});

test('§4: without Redis the process counts by itself, and a send waits for it no longer than the limit may', async () => {
  const proxy = await FaultProxy.open(routing.url);
  // Nothing but the wait of a limit ends it, where no answer comes.
  const waits = { ...PATIENT, limitMs: 150 };
  const { redis } = await routing.start({ url: proxy.through(routing.url), waits });
  const limiter = new SendLimiter(redis, routing.keys, 1);
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  proxy.mode = 'blackhole';
  expect(await limiter.take('erin')).toEqual({ isAllowed: true, remaining: 3, retryAfterMs: 0 });
  proxy.mode = 'reset';
  const limits = await Promise.all(countTo(6).map(() => limiter.take('erin')));
  expect(limits.filter(({ isAllowed }) => isAllowed)).toHaveLength(3);
  for (const { retryAfterMs } of limits.filter(({ isAllowed }) => !isAllowed)) {
    expect(retryAfterMs).toBe(1_000);
  }
  expect(await limiter.take('frank')).toMatchObject({ isAllowed: true, remaining: 3 });
  jest.restoreAllMocks();

  proxy.mode = 'pass';
  await eventually('Redis counts again', async () => {
    await limiter.take('grace');
    return (await routing.client.exists(routing.keys.sends('grace'))) === 1;
  });
  await proxy.close();
});
