import { LockedLane, type LockedLaneOptions } from './locked-lane';
import { LockedError, OutageError } from './outage';

/** What is locked now; items are the names of what they lock, joined by a blank. */
let locked: Set<string>;
let turns: string[][];
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
      await new Promise((resolve) => setTimeout(resolve, 20));
      return items.map((item) => lockedOut(item) ?? `late ${item}`);
    },
    locksOf,
    maxWaiting: 100,
    concurrency: 1,
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
  const waiting = Promise.all(['a', 'a x', 'b'].map((item) => lane.around(item, submit)));
  await new Promise((resolve) => setTimeout(resolve, 150));
  locked.delete('b');
  await new Promise((resolve) => setTimeout(resolve, 100));
  locked.clear();
  expect(await waiting).toEqual(['late a', 'late a x', 'late b']);
  expect(turns.some((turn) => turn.toSorted().join() === 'a,a x')).toBe(true);
  expect(turns.every((turn) => !turn.includes('b') || turn.length === 1)).toBe(true);
});

test('§4.8: what stays locked is refused in time, and what is given up takes no turn', async () => {
  const isOver = new Set<string>();
  const lane = laneWith({ expired: (item) => (isOver.has(item) ? new OutageError('given up') : null) });
  locked.add('a').add('b');
  const began = performance.now();
  const waiting = lane.around('a', submit);
  const givenUp = lane.around('b', submit);
  isOver.add('b');
  await expect(givenUp).rejects.toThrow('given up');
  await expect(waiting).rejects.toBeInstanceOf(LockedError);
  expect(performance.now() - began).toBeLessThan(1_700);
  await lane.idle();
  expect(lane.pending).toBe(0);
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
