import { eventually, HANG_MS } from '@posthorn/testing';
import { LockedError, OutageError } from '../database/outage';
import { LOCK_WAITS } from './lock-wait';
import { LockedLane, type LockedLaneOptions } from './locked-lane';

/** What is locked now; items are the names of what they lock, joined by a blank. */
let locked: Set<string>;
let turns: string[][];
/** How long a turn takes. */
const TURN_MS = 5;
const locksOf = (item: string): string[] => item.split(' ');

beforeEach(() => {
  locked = new Set();
  turns = [];
});

function lockedOut(item: string): LockedError | null {
  const locks = locksOf(item).filter((name) => locked.has(name));
  return locks.length > 0 ? new LockedError('locked', { locks }) : null;
}

function laneWith(options: Partial<LockedLaneOptions<string, string>> = {}): LockedLane<string, string> {
  return new LockedLane<string, string>({
    run: async (items) => {
      turns.push([...items]);
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
      return items.map((item) => lockedOut(item) ?? `late ${item}`);
    },
    locksOf,
    maxWaiting: 100,
    concurrency: 1,
    maxWaitMs: HANG_MS,
    ...options,
  });
}

/** The usual way: fails at once where something is locked. */
async function submit(item: string): Promise<string> {
  const error = lockedOut(item);
  if (error !== null) throw error;
  return `soon ${item}`;
}

test('§1: what is not locked goes the usual way, what is waits until it is free', async () => {
  const lane = laneWith();
  locked.add('a');
  const waiting = lane.around('a', submit);
  expect(await lane.around('b', submit)).toBe('soon b');
  expect(lane.pending).toBe(1);
  locked.clear();
  expect(await waiting).toBe('late a');
  expect(await lane.around('a', submit)).toBe('soon a');
});

test('§1: while a row is known to be locked, those that need it do not go the usual way at all', async () => {
  const lane = laneWith();
  locked.add('a');
  const first = lane.around('a', submit);
  await new Promise((resolve) => setImmediate(resolve));
  let tried = 0;
  const second = lane.around('b a', async (item) => {
    tried += 1;
    return await submit(item);
  });
  locked.clear();
  expect(await Promise.all([first, second])).toEqual(['late a', 'late b a']);
  expect(tried).toBe(0);
});

test('§1: who waits for one row shares a turn, and the turns of different rows alternate', async () => {
  const lane = laneWith();
  for (const name of ['a', 'b']) locked.add(name);
  const [a, ax, b] = ['a', 'a x', 'b'].map((item) => lane.around(item, submit));
  const isOfA = (turn?: readonly string[]): boolean => turn?.toSorted().join() === 'a,a x';
  await eventually('two turns of each', () => turns.filter(isOfA).length >= 3);
  const first = turns.findIndex(isOfA);
  expect(turns.slice(first, first + 4).map((turn) => isOfA(turn) || turn.join())).toEqual([
    true,
    'b',
    true,
    'b',
  ]);
  locked.delete('b');
  expect(await b).toBe('late b');
  locked.clear();
  expect(await Promise.all([a, ax])).toEqual(['late a', 'late a x']);
});

test('§4.8: what stays locked is refused in time, and what is given up takes no turn', async () => {
  jest.useFakeTimers();
  try {
    const isOver = new Set<string>();
    const lane = laneWith({
      maxWaitMs: LOCK_WAITS.laneMs,
      expired: (item) => (isOver.has(item) ? new OutageError('given up') : null),
    });
    locked.add('a').add('b');
    const waiting = lane.around('a', submit);
    const givenUp = lane.around('b', submit);
    isOver.add('b');
    const settled = Promise.allSettled([givenUp, waiting]);
    await jest.advanceTimersByTimeAsync(LOCK_WAITS.laneMs - TURN_MS);
    expect(lane.pending).toBe(1);
    await jest.advanceTimersByTimeAsync(2 * TURN_MS);
    expect(lane.pending).toBe(0);
    expect(await settled).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ message: 'given up' }) },
      { status: 'rejected', reason: expect.any(LockedError) },
    ]);
    await lane.idle();
    expect(turns.flat()).not.toContain('b');
  } finally {
    jest.useRealTimers();
  }
});

test('§4.8: the usual wait, and the statement of a last turn, leave time for an answer within two seconds', () => {
  expect(LOCK_WAITS.laneMs + LOCK_WAITS.lockedMs).toBeLessThan(1_700);
});

test('§4.8: more than the lane may hold are refused at once', async () => {
  const lane = laneWith({ maxWaiting: 1 });
  locked.add('a');
  const waiting = lane.around('a', submit);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(lane.around('a', submit)).rejects.toBeInstanceOf(LockedError);
  locked.clear();
  expect(await waiting).toBe('late a');
});

test('an error of its own, and an outage that names no row, are answered as they are', async () => {
  const lane = laneWith();
  for (const error of [new OutageError('gone'), new LockedError('somewhere'), new Error('bad')]) {
    await expect(lane.around('a', () => Promise.reject(error))).rejects.toBe(error);
  }
  expect(turns).toEqual([]);
});
