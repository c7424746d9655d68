import { eventually, HANG_MS } from '@posthorn/testing';
import { LockedError, OutageError } from '../database/outage';
import { OverloadedError } from './batcher';
import { GroupCommit, type GroupCommitOptions } from './group-commit';
import { LOCK_WAITS } from './lock-wait';

/** What is locked now; items are the names of what they lock. */
let locked: Set<string>;
/** The batches that came to `commit`, each with how long it was to wait. */
let calls: { items: string[]; lockWaitMs: number }[];

const WAITS = { ...LOCK_WAITS, splitMs: HANG_MS, laneMs: HANG_MS };

beforeEach(() => {
  locked = new Set();
  calls = [];
});

async function commit(items: readonly string[], lockWaitMs: number): Promise<string[]> {
  calls.push({ items: [...items], lockWaitMs });
  await new Promise((resolve) => setImmediate(resolve));
  if (items.some((item) => locked.has(item))) throw new LockedError('locked');
  return items.map((item) => `done ${item}`);
}

function groupCommit(options: Partial<GroupCommitOptions<string, string>> = {}): GroupCommit<string, string> {
  return new GroupCommit<string, string>({
    name: 'test',
    maxBatch: 100,
    maxPending: 100,
    commit,
    locksOf: (item) => [item],
    waits: WAITS,
    ...options,
  } as GroupCommitOptions<string, string>);
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('§1: an item that needs a locked row waits apart, and its neighbours are committed', async () => {
  const commits = groupCommit();
  locked.add('b');
  const waiting = commits.add('b');
  expect(await Promise.all([commits.add('a'), commits.add('c')])).toEqual(['done a', 'done c']);
  expect(commits.pending).toBe(1);
  let isIdle = false;
  const idle = commits.idle().then(() => (isIdle = true));
  await nextTurn();
  expect(isIdle).toBe(false);
  locked.clear();
  expect(await waiting).toBe('done b');
  await idle;
  expect(commits.pending).toBe(0);
});

test('§4.8: a statement waits as long as its place allows: shared, a part of it, or only for the locked row', async () => {
  const commits = groupCommit();
  locked.add('b');
  const added = ['a', 'b'].map((item) => commits.add(item));
  await added[0];
  locked.clear();
  await Promise.all(added);
  expect(calls[0]).toEqual({ items: ['a', 'b'], lockWaitMs: WAITS.sharedMs });
  expect(calls[1]).toEqual({ items: ['a'], lockWaitMs: WAITS.partMs });
  expect(calls.at(-1)).toEqual({ items: ['b'], lockWaitMs: WAITS.lockedMs });
});

test('§4.8: what stays locked is refused once its time is over', async () => {
  const commits = groupCommit({ waits: { ...WAITS, laneMs: 0 } });
  locked.add('a');
  await expect(commits.add('a')).rejects.toBeInstanceOf(LockedError);
  expect(commits.pending).toBe(0);
});

test('where none may wait for a locked row, an item is refused at once', async () => {
  const commits = groupCommit({ maxLocked: 0 });
  locked.add('a');
  await expect(commits.add('a')).rejects.toBeInstanceOf(LockedError);
  locked.clear();
  expect(await commits.add('a')).toBe('done a');
});

test('wide items have batches and limits of their own', async () => {
  const commits = groupCommit({
    maxPending: 2,
    wide: { name: 'wide', isWide: (item) => item.startsWith('w'), maxBatch: 1, maxPending: 2 },
  });
  const added = ['w1', 'a', 'w2', 'b'].map((item) => commits.add(item));
  await expect(commits.add('w3')).rejects.toThrow('wide: 2 items are waiting');
  await expect(commits.add('c')).rejects.toThrow('test: 2 items are waiting');
  expect(commits.pending).toBe(4);
  expect(await Promise.all(added)).toEqual(['done w1', 'done a', 'done w2', 'done b']);
  expect(calls.map(({ items }) => items)).toEqual([['w1'], ['a', 'b'], ['w2']]);
});

test('§4.8: what expired is not committed, neither in a batch nor while it waits for a locked row', async () => {
  const isOver = new Set(['a']);
  const commits = groupCommit({ expired: (item) => (isOver.has(item) ? new OutageError('too late') : null) });
  await expect(commits.add('a')).rejects.toThrow('too late');
  expect(calls).toEqual([]);
  locked.add('b');
  const waiting = commits.add('b');
  await eventually('it waits apart', () => calls.at(-1)?.lockWaitMs === WAITS.lockedMs);
  isOver.add('b');
  await expect(waiting).rejects.toThrow('too late');
});

test('§4.8: more than may wait are refused at once, and an outage fails all of a batch', async () => {
  const commits = groupCommit({
    maxPending: 1,
    commitBatch: async () => {
      throw new OutageError('gone');
    },
  });
  const first = commits.add('a');
  await expect(commits.add('b')).rejects.toBeInstanceOf(OverloadedError);
  await expect(first).rejects.toThrow('gone');
});
