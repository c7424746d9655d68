import { PassThrough } from 'node:stream';
import { createLogger } from '../log/logger';
import { Lifecycle } from './lifecycle';

/** No step of these tests takes that long. */
const LONG_MS = 60_000;

afterEach(() => void jest.useRealTimers());

function lifecycle(): { life: Lifecycle; logged: () => string } {
  const stream = new PassThrough();
  const life = new Lifecycle(createLogger({ service: 'test', level: 'info', stream }));
  return { life, logged: () => String(stream.read() ?? '') };
}

it('runs the steps last in, first out, each after the one before it is over', async () => {
  const { life } = lifecycle();
  const order: string[] = [];
  life.onStop('first', () => void order.push('first'));
  life.onStop('second', async () => {
    order.push('second begins');
    await new Promise((resolve) => setImmediate(resolve));
    order.push('second ends');
  });
  await life.stop(LONG_MS);
  expect(order).toEqual(['second begins', 'second ends', 'first']);
});

it('goes on after a step that throws, rejects or hangs, and names each in the log', async () => {
  const { life, logged } = lifecycle();
  const order: string[] = [];
  life.onStop('last', () => void order.push('last'));
  life.onStop('throws', () => {
    throw new Error('thrown');
  });
  life.onStop('rejects', () => Promise.reject(new Error('rejected')));
  life.onStop('hangs', () => new Promise(() => undefined));
  jest.useFakeTimers();
  const stopped = life.stop(LONG_MS);
  await jest.advanceTimersByTimeAsync(LONG_MS);
  await stopped;
  expect(order).toEqual(['last']);
  const text = logged();
  for (const step of ['throws', 'rejects', 'hangs']) {
    expect(text).toContain(`"step":"${step}"`);
  }
});

it('tells each step how long it may take', async () => {
  const { life } = lifecycle();
  const allowed: number[] = [];
  life.onStop('second', (allowedMs) => void allowed.push(allowedMs));
  life.onStop('first', (allowedMs) => void allowed.push(allowedMs));
  jest.useFakeTimers();
  await life.stop(1000);
  // What is reserved for the second is not the first one's.
  expect(allowed).toEqual([950, 1000]);
});

it('stops once, however often it is asked', async () => {
  const { life } = lifecycle();
  let runs = 0;
  life.onStop('step', () => void (runs += 1));
  expect(life.stop(LONG_MS)).toBe(life.stop(5));
  await life.stop(LONG_MS);
  expect(runs).toBe(1);
});

it('tells at the first moment, before any step', async () => {
  const { life } = lifecycle();
  const order: string[] = [];
  life.onStopping(() => void order.push('told'));
  void life.whenStopping.then(() => order.push('promised'));
  life.onStop('step', async () => {
    await Promise.resolve();
    order.push(`step, stopping: ${life.stopping}`);
  });
  expect([life.stopping, life.signal.aborted]).toEqual([false, false]);
  const stopped = life.stop(LONG_MS);
  expect([life.stopping, life.signal.aborted]).toEqual([true, true]);
  await stopped;
  expect(order.sort()).toEqual(['promised', 'step, stopping: true', 'told']);
});

it('undoes what is acquired while or after it stops', async () => {
  const { life } = lifecycle();
  const order: string[] = [];
  life.onStop('acquires', () => life.onStop('late', () => void order.push('late')));
  await life.stop(LONG_MS);
  life.onStop('later', () => void order.push('later'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['late', 'later']);
});
