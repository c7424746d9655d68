import { OutageError } from '@posthorn/inbox';
import { eventually, HANG_MS } from '@posthorn/testing';
import { type LateWrite, LateWrites } from './late-writes';

describe('LateWrites', () => {
  const bob: LateWrite = { user: 'bob', device: 'phone' };
  let answers: (boolean | Error)[];
  let written: LateWrite[];
  let given: LateWrite[];
  let late: LateWrites<LateWrite>;
  beforeEach(() => {
    [answers, written, given] = [[], [], []];
    late = new LateWrites<LateWrite>({
      write: async (item) => {
        const answer = answers.shift() ?? true;
        if (answer instanceof Error) throw answer;
        written.push(item);
        return answer;
      },
      onError: (item) => given.push(item),
      max: 3,
    });
  });
  afterEach(() => late.stop());

  it('tries again by itself what an outage kept back', async () => {
    answers = [new OutageError('out of reach'), new OutageError('out of reach')];
    late.add(bob);
    await eventually('written', () => written.length === 1);
    expect(await late.idle(0)).toBe(true);
  });

  it('tries at once when the device comes back, and lets it go on whatever comes of that', async () => {
    answers = [new OutageError('out of reach'), new OutageError('out of reach')];
    late.add(bob);
    await late.settle('bob', 'phone');
    expect(written).toEqual([]);
    await late.settle('bob', 'phone');
    await late.settle('bob', 'phone');
    expect(written).toEqual([bob]);
    await late.settle('bob', 'desk');
  });

  it('is idle only once all is written, and says so where that takes too long', async () => {
    answers = Array.from({ length: 3 }, () => new OutageError('out of reach'));
    late.add(bob);
    expect(await late.idle(20)).toBe(false);
    expect(await late.idle(HANG_MS)).toBe(true);
    expect(written).toEqual([bob]);
  });

  it('nobody waits for what may have to be written once more, though it is', async () => {
    answers = [false];
    late.add(bob);
    await eventually('written', () => written.length === 1);
    expect(await late.idle(HANG_MS)).toBe(true);
    expect(written).toHaveLength(1);
    await late.settle('bob', 'phone');
    expect(written).toHaveLength(2);
  });

  it('gives up what is no outage: trying again would not help', async () => {
    answers = [new Error('a fault of ours')];
    late.add(bob);
    await eventually('given up', () => given.length === 1);
    expect(await late.idle(0)).toBe(true);
    expect(written).toEqual([]);
  });

  it('keeps no more than its bound', async () => {
    answers = Array.from({ length: 3 }, () => new OutageError('out of reach'));
    for (const device of ['a', 'b', 'c', 'd']) late.add({ user: 'bob', device });
    expect(await late.idle(HANG_MS)).toBe(true);
    expect(written.map(({ device }) => device).sort()).toEqual(['a', 'b', 'c']);
  });
});
