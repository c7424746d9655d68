import { parseStat, sumOfTree } from './process-tree';

const STAT =
  '42 (a (strange) name) S 7 42 42 0 -1 4194560 1 2 3 4 100 50 20 10 20 0 1 0 5 1000 256 18446744073709551615 1 1 0';

describe('a process', () => {
  it('has its CPU, and that of its ended children', () => {
    expect(parseStat(STAT, 10)).toEqual({ pid: 42, parent: 7, cpuMs: 1_800, rss: 256 * 4_096 });
  });

  it('counts with everything below it', () => {
    const rows = [
      { pid: 1, parent: 0, cpuMs: 1, rss: 1 },
      { pid: 2, parent: 1, cpuMs: 10, rss: 10 },
      { pid: 3, parent: 2, cpuMs: 100, rss: 100 },
      { pid: 4, parent: 9, cpuMs: 1_000, rss: 1_000 },
    ];
    expect(sumOfTree(rows, 1)).toEqual({ cpuMs: 111, rss: 111 });
    expect(sumOfTree(rows, 5)).toEqual({ cpuMs: 0, rss: 0 });
  });
});
