import { Acker } from './acker.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('Acker', () => {
  it('§5.6: one acknowledgement is for many, and the last one is always said', () => {
    const acks: number[] = [];
    const acker = new Acker((seq) => acks.push(seq) > 0);
    for (let seq = 1; seq <= 10; seq++) acker.handled(seq);
    expect(acks).toEqual([1]);
    jest.advanceTimersByTime(50);
    expect(acks).toEqual([1, 10]);
    for (let seq = 11; seq <= 1_000; seq++) acker.handled(seq);
    jest.advanceTimersByTime(50);
    expect(acks.at(-1)).toBe(1_000);
    expect(acks.length).toBeLessThan(1_000 / 50);
  });

  it('§5.5: says to a new connection what the last one may not have heard', () => {
    const acks: number[] = [];
    let isUp = false;
    const acker = new Acker((seq) => isUp && acks.push(seq) > 0);
    acker.handled(5);
    jest.advanceTimersByTime(1_000);
    expect(acks).toEqual([]);
    isUp = true;
    acker.begin(5);
    acker.begin(5);
    expect(acks).toEqual([5, 5]);
  });
});
