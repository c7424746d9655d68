import { Batcher, OverloadedError } from './batcher';

/** A `run` whose batches end when the test says so. */
function gate() {
  const batches: { items: readonly number[]; end: (answers?: readonly (string | Error)[]) => void }[] = [];
  const run = (items: readonly number[]) =>
    new Promise<readonly (string | Error)[]>((resolve) => {
      batches.push({ items, end: (answers = items.map((item) => `done ${item}`)) => resolve(answers) });
    });
  return { batches, run };
}

afterEach(() => void jest.useRealTimers());

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

it('sends what one turn of the event loop submits together', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({ name: 'test', run, maxBatch: 10, maxPending: 100, concurrency: 1 });
  const answers = Promise.all([1, 2, 3].map((item) => batcher.submit(item)));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
  batches[0]?.end();
  expect(await answers).toEqual(['done 1', 'done 2', 'done 3']);
});

it('gathers while every slot is busy, and leaves when one is free', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({ name: 'test', run, maxBatch: 3, maxPending: 100, concurrency: 2 });
  const answers: Promise<string>[] = [];
  for (let item = 1; item <= 9; item += 1) {
    answers.push(batcher.submit(item));
    await turn();
  }
  expect(batches.map(({ items }) => items)).toEqual([[1], [2]]);
  batches[1]?.end();
  await turn();
  expect(batches[2]?.items).toEqual([3, 4, 5]);
  for (let index = 0; index < 5; index += 1) {
    batches[index]?.end();
    await turn();
  }
  expect(batches.map(({ items }) => items)).toEqual([[1], [2], [3, 4, 5], [6, 7, 8], [9]]);
  expect(await Promise.all(answers)).toHaveLength(9);
});

it('splits a burst at maxBatch', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({ name: 'test', run, maxBatch: 2, maxPending: 100, concurrency: 9 });
  const answers = [1, 2, 3, 4, 5].map((item) => batcher.submit(item));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2], [3, 4], [5]]);
  for (const { end } of batches) {
    end();
  }
  await Promise.all(answers);
});

it('refuses at once beyond maxPending, those in flight included, and takes again after', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({ name: 'test', run, maxBatch: 1, maxPending: 2, concurrency: 1 });
  const taken = [batcher.submit(1), batcher.submit(2)];
  await expect(batcher.submit(3)).rejects.toBeInstanceOf(OverloadedError);
  expect(batcher.pending).toBe(2);
  await turn();
  batches[0]?.end();
  await taken[0];
  const later = batcher.submit(4);
  await turn();
  batches[1]?.end();
  await turn();
  batches[2]?.end();
  expect(await later).toBe('done 4');
});

it('fails one item alone, or all of a batch, and the next batch goes on', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({ name: 'test', run, maxBatch: 9, maxPending: 100, concurrency: 1 });
  const mixed = Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
  await turn();
  batches[0]?.end([new Error('only this'), 'fine']);
  expect((await mixed).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);

  const failing = new Batcher<number, string>({
    name: 'test',
    run: () => Promise.reject(new Error('all')),
    maxBatch: 9,
    maxPending: 100,
    concurrency: 1,
  });
  for (let round = 0; round < 2; round += 1) {
    await expect(failing.submit(1)).rejects.toThrow('all');
  }
  expect(failing.pending).toBe(0);
});

it('a run that answers the wrong number of items fails them all', async () => {
  const batcher = new Batcher<number, string>({
    name: 'accepts',
    run: async () => ['one too few'],
    maxBatch: 9,
    maxPending: 100,
    concurrency: 1,
  });
  const both = await Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
  expect(both.map((each) => each.status)).toEqual(['rejected', 'rejected']);
});

it('leaves out what expired while it waited, and answers the rest in order', async () => {
  const ran: (readonly number[])[] = [];
  const batcher = new Batcher<number, string>({
    name: 'test',
    run: async (items) => {
      ran.push(items);
      return items.map((item) => `done ${item}`);
    },
    maxBatch: 9,
    maxPending: 100,
    concurrency: 1,
    expired: (item) => (item % 2 === 0 ? new Error(`too late: ${item}`) : null),
  });
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.submit(item)));
  expect(outcomes.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual([
    'done 1',
    'Error: too late: 2',
    'done 3',
    'Error: too late: 4',
  ]);
  await expect(batcher.submit(2)).rejects.toThrow('too late');
  expect(ran).toEqual([[1, 3]]);
});

it('passes on values that are null or undefined, both ways', async () => {
  const batcher = new Batcher<null, undefined>({
    name: 'test',
    run: async (items) => items.map(() => undefined),
    maxBatch: 9,
    maxPending: 9,
    concurrency: 1,
  });
  expect(await batcher.submit(null)).toBeUndefined();
});

it('is idle when nothing is pending', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({ name: 'test', run, maxBatch: 9, maxPending: 9, concurrency: 1 });
  await batcher.idle();
  let isIdle = false;
  const answer = batcher.submit(1);
  const idle = batcher.idle().then(() => (isIdle = true));
  await turn();
  expect(isIdle).toBe(false);
  batches[0]?.end();
  await Promise.all([answer, idle]);
  expect(isIdle).toBe(true);
});

it('leaves at once, and then at its pace', async () => {
  const { batches, run } = gate();
  const batcher = new Batcher({
    name: 'test',
    run,
    maxBatch: 9,
    maxPending: 9,
    concurrency: 2,
    paceMs: 200,
  });
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  const first = batcher.submit(1);
  await turn();
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1]]);
  const others = [batcher.submit(2)];
  await turn();
  others.push(batcher.submit(3));
  await jest.advanceTimersByTimeAsync(199);
  await turn();
  expect(batches).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(1);
  await turn();
  expect(batches[1]?.items).toEqual([2, 3]);
  for (const { end } of batches) end();
  await Promise.all([first, ...others]);
});
