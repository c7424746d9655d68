import { PeriodicWork, type PeriodicWorkOptions } from './periodic-work';

const FIRST_MS = 1_000;
const INTERVAL_MS = 60_000;
const RETRY_MS = 10_000;

let rounds: number;
let errors: unknown[];

beforeEach(() => {
  jest.useFakeTimers();
  rounds = 0;
  errors = [];
});
afterEach(() => void jest.useRealTimers());

function periodic(options: Partial<PeriodicWorkOptions> = {}): PeriodicWork {
  return new PeriodicWork({
    round: async () => {
      rounds += 1;
      return INTERVAL_MS;
    },
    firstMs: FIRST_MS,
    retryMs: RETRY_MS,
    onError: (error) => void errors.push(error),
    ...options,
  });
}

it('waits before each round between 0.5 and 1.5 times as long as it was told', async () => {
  const work = periodic();
  const random = jest.spyOn(Math, 'random').mockReturnValue(0);
  work.start();
  random.mockReturnValue(0.999);
  await jest.advanceTimersByTimeAsync(0.5 * FIRST_MS - 1);
  expect(rounds).toBe(0);
  await jest.advanceTimersByTimeAsync(1);
  expect(rounds).toBe(1);
  await jest.advanceTimersByTimeAsync(1.49 * INTERVAL_MS);
  expect(rounds).toBe(1);
  await jest.advanceTimersByTimeAsync(0.01 * INTERVAL_MS);
  expect(rounds).toBe(2);
  await work.stop();
  random.mockRestore();
});

it('reports a round that fails, and tries again', async () => {
  const error = new Error('no Postgres');
  const work = periodic({
    round: async () => {
      rounds += 1;
      throw error;
    },
  });
  expect(await work.run()).toBe(RETRY_MS);
  expect(errors).toEqual([error]);
  work.start();
  await jest.advanceTimersByTimeAsync(1.5 * (FIRST_MS + RETRY_MS));
  expect(rounds).toBeGreaterThanOrEqual(3);
  await work.stop();
});

it('stops: the round that runs is told and waited for, its error is not reported, and no other follows', async () => {
  const work = periodic({
    round: (signal) => {
      rounds += 1;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
      });
    },
  });
  work.start();
  await jest.advanceTimersByTimeAsync(1.5 * FIRST_MS);
  expect(rounds).toBe(1);
  await work.stop();
  await jest.advanceTimersByTimeAsync(10 * INTERVAL_MS);
  expect([rounds, errors]).toEqual([1, []]);
});

it('does not start after a stop that came before its first round', async () => {
  const work = periodic();
  work.start();
  await work.stop();
  await jest.advanceTimersByTimeAsync(10 * INTERVAL_MS);
  expect(rounds).toBe(0);
});
