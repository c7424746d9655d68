import { eventually, FaultProxy } from '@posthorn/testing';
import { countTo, openTestRouting, type TestRouting, timed } from '../test/routing-fixture';
import { SendLimiter } from './send-limiter';

let routing: TestRouting;

beforeAll(() => {
  routing = openTestRouting();
});

afterAll(async () => {
  await routing.close();
});

async function openLimiter(perSecond: number, url = routing.url): Promise<SendLimiter> {
  return new SendLimiter((await routing.start(url)).redis, routing.keys, perSecond);
}

test('§2: a burst is 4 times the sustained rate; then one is free after its time', async () => {
  const limiter = await openLimiter(1);
  expect(limiter.burst).toBe(4);
  const limits = [];
  for (const _ of countTo(5)) limits.push(await limiter.take('bob'));
  expect(limits.slice(0, 4)).toEqual(
    [3, 2, 1, 0].map((remaining) => ({ isAllowed: true, remaining, retryAfterMs: 0 })),
  );
  expect(limits[4]).toEqual({ isAllowed: false, remaining: 0, retryAfterMs: expect.any(Number) });
  expect(limits[4]?.retryAfterMs).toBeGreaterThan(500);
  expect(limits[4]?.retryAfterMs).toBeLessThanOrEqual(1_000);
  expect(await limiter.take('carol')).toMatchObject({ isAllowed: true, remaining: 3 });
});

test('§2: the rate holds over processes together: burst and then the sustained rate, no more', async () => {
  const perSecond = 100;
  const processes = [await routing.start(), await routing.start()];
  let faults = 0;
  for (const { redis } of processes) redis.onFault(() => void faults++);
  const limiters = processes.map(({ redis }) => new SendLimiter(redis, routing.keys, perSecond));
  let began = 0;
  let allowed = 0;
  const run = async (user: string): Promise<void> => {
    faults = 0;
    allowed = 0;
    began = performance.now();
    // More than the burst, however slow the machine.
    for (const _ of countTo(20)) {
      const limits = await Promise.all(countTo(40).map((index) => limiters[index % 2]?.take(user)));
      allowed += limits.filter((limit) => limit?.isAllowed).length;
    }
  };
  // A machine that stalls for the whole wait of a send makes the processes count by themselves.
  for (const attempt of countTo(5)) {
    await run(`dave-${attempt}`);
    if (faults === 0) break;
    await eventually('Redis is there', async () =>
      (await Promise.all(processes.map(({ redis }) => redis.answers()))).every(Boolean),
    );
  }
  const tookS = (performance.now() - began) / 1_000;
  expect(allowed).toBeLessThanOrEqual(400 + Math.ceil(tookS * perSecond));
  expect(allowed).toBeGreaterThanOrEqual(Math.min(800, 400 + Math.floor(tookS * perSecond * 0.5)));
});

test('§4: without Redis the process counts by itself, and a send waits little for it', async () => {
  const proxy = await FaultProxy.open(routing.url);
  const limiter = await openLimiter(1, proxy.through(routing.url));
  await limiter.take('erin');
  proxy.mode = 'blackhole';
  const [first, tookMs] = await timed(limiter.take('erin'));
  expect(first).toEqual({ isAllowed: true, remaining: 3, retryAfterMs: 0 });
  expect(tookMs).toBeLessThan(250);
  proxy.mode = 'reset';
  const limits = await Promise.all(countTo(6).map(() => limiter.take('erin')));
  expect(limits.filter(({ isAllowed }) => isAllowed)).toHaveLength(3);
  for (const { retryAfterMs } of limits.filter(({ isAllowed }) => !isAllowed)) {
    expect([retryAfterMs > 0, retryAfterMs <= 1_000]).toEqual([true, true]);
  }
  expect(await limiter.take('frank')).toMatchObject({ isAllowed: true, remaining: 3 });

  proxy.mode = 'pass';
  await eventually('Redis counts again', async () => {
    await limiter.take('grace');
    return (await routing.client.exists(routing.keys.sends('grace'))) === 1;
  });
  await proxy.close();
});
