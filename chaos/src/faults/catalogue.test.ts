import { CATALOGUE, faultsFor } from './catalogue';

const PARTS = ['api', 'gateway', 'redis', 'postgres', 'edge', 'client', 'poison'];
const LONGEST_MS = 15_000;

describe('the catalogue', () => {
  it('gives every fault an id of its own, which begins with what it hits', () => {
    const ids = CATALOGUE.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/);
      expect(PARTS).toContain(id.split('-')[0]);
    }
  });

  it('gives every fault a duration, which is short or none', () => {
    for (const { id, minMs, maxMs } of CATALOGUE) {
      expect({ id, isSane: 0 <= minMs && minMs <= maxMs && maxMs <= LONGEST_MS }).toEqual({
        id,
        isSane: true,
      });
    }
  });

  it('describes every fault in a sentence of its own', () => {
    const sentences = CATALOGUE.map(({ what }) => what);
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].+[\w)]\.$/);
  });

  it('keeps what needs Sentinels or a Cluster, or the links to a single Redis, for those', () => {
    const [single, sentinel, cluster] = [faultsFor('single'), faultsFor('sentinel'), faultsFor('cluster')];
    const beginning = (faults: typeof single, start: string): number =>
      faults.filter(({ id }) => id.startsWith(start)).length;
    for (const [faults, own, other] of [
      [sentinel, 'redis-sentinel-', 'redis-cluster-'],
      [cluster, 'redis-cluster-', 'redis-sentinel-'],
    ] as const) {
      expect(beginning(faults, own)).toBeGreaterThan(0);
      expect(beginning(faults, other)).toBe(0);
      expect(beginning(faults, 'redis-edge-')).toBe(0);
    }
    expect(beginning(single, 'redis-sentinel-') + beginning(single, 'redis-cluster-')).toBe(0);
    expect(beginning(single, 'redis-edge-')).toBeGreaterThan(0);
  });

  it('has faults of every part on every kind of Redis', () => {
    for (const kind of ['single', 'sentinel', 'cluster'] as const) {
      expect(new Set(faultsFor(kind).map(({ id }) => id.split('-')[0]))).toEqual(new Set(PARTS));
    }
  });
});
