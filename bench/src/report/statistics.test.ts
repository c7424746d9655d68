import { median, ratioOf, spreadOf } from './statistics';

describe('statistics', () => {
  it('take the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('tell the least and the most', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, count: 3 });
    expect(spreadOf([])).toBeUndefined();
  });

  it('compare within a round: what slows both down cancels out', () => {
    const slowed = new Map([
      [1, 10],
      [2, 100],
      [3, 20],
    ]);
    const others = new Map([
      [1, 5],
      [2, 50],
      [4, 1],
    ]);
    expect(ratioOf(slowed, others)).toBe(2);
    expect(ratioOf(slowed, new Map())).toBeUndefined();
  });
});
