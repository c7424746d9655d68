import { within } from './within';

const WAIT_MS = 1_000;
const never = new Promise<string>(() => undefined);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('gives what the work gives, and leaves no timer', async () => {
  expect(await within(WAIT_MS, Promise.resolve('done'), () => 'late')).toBe('done');
  await expect(within(WAIT_MS, Promise.reject(new Error('bad')), () => 'late')).rejects.toThrow('bad');
  expect(jest.getTimerCount()).toBe(0);
});

it('gives what is said to be late when the time is over, and not before', async () => {
  let outcome: string | undefined;
  const waiting = within(WAIT_MS, never, (waitMs) => `late after ${waitMs}`).then((value) => {
    outcome = value;
  });
  await jest.advanceTimersByTimeAsync(WAIT_MS - 1);
  expect(outcome).toBeUndefined();
  await jest.advanceTimersByTimeAsync(1);
  await waiting;
  expect(outcome).toBe('late after 1000');
});

it('may throw when the time is over; what the work does later is nobody’s concern', async () => {
  let fail: (error: Error) => void = () => undefined;
  const work = new Promise<string>((_, reject) => {
    fail = reject;
  });
  const waiting = within(WAIT_MS, work, () => {
    throw new Error('too late');
  });
  const failed = waiting.catch(String);
  await jest.advanceTimersByTimeAsync(WAIT_MS);
  expect(await failed).toBe('Error: too late');
  fail(new Error('after all'));
});
