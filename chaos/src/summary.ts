import type { Verdict } from './check/verdict';
import type { RunResult } from './run';

/** With fewer sends, the p99 is simply the longest one. */
const ENOUGH_SENDS = 100;

/** Several runs together. */
export class Summary {
  readonly #verdicts: Verdict[] = [];
  readonly #faults = new Map<string, { injected: number; proven: number }>();

  add({ verdict, events }: RunResult): void {
    this.#verdicts.push(verdict);
    for (const { f, v } of events) {
      if (f !== 'fault' || v.phase !== 'end') continue;
      const { injected, proven } = this.#faults.get(v.id) ?? { injected: 0, proven: 0 };
      this.#faults.set(v.id, { injected: injected + 1, proven: proven + (v.effect === null ? 0 : 1) });
    }
  }

  /** A line for each fault: how often it was injected, and how often it took effect. */
  faultLines(): string[] {
    return [...this.#faults]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { injected, proven }]) => `  ${id.padEnd(36)}${proven} of ${injected}`);
  }

  /** How many runs had this verdict. */
  count(kind: Verdict['verdict']): number {
    return this.#verdicts.filter(({ verdict }) => verdict === kind).length;
  }

  /** One line of figures. */
  line(): string {
    const sum = (value: (counts: Verdict['counts']) => number): number =>
      this.#verdicts.reduce((total, { counts }) => total + value(counts), 0);
    const resent = sum((counts) => counts.resent * counts.deliveries);
    const deliveries = sum((counts) => counts.deliveries);
    const redisOk = sum(({ redisFaultSends }) => redisFaultSends.ok);
    const redisTotal = sum(({ redisFaultSends }) => redisFaultSends.total);
    return [
      `${this.#verdicts.length} runs: ${this.count('valid')} valid, ${this.count('invalid')} invalid, ${this.count('unknown')} unknown`,
      `${sum((counts) => counts.faultsProven)} of ${sum((counts) => counts.faultsInjected)} faults took effect, of ${this.#faults.size} kinds`,
      `${sum((counts) => counts.acknowledged)} messages acknowledged, ${sum((counts) => counts.recovered)} more were committed without an answer`,
      `${deliveries} deliveries, ${percent(resent, deliveries)} sent again`,
      `lost ${sum((counts) => counts.lost)}`,
      `misdelivered ${sum((counts) => counts.misdelivered)}`,
      `phantom ${sum((counts) => counts.phantoms)}`,
      `out of order ${sum((counts) => counts.inversions)}`,
      `silently missing ${sum((counts) => counts.gaps)}`,
      `at or below a cursor ${sum((counts) => counts.duplicatesBelowCursor)}`,
      `sends during faults of Redis: ${percent(redisOk, redisTotal)} of ${redisTotal} answered 200 or 201, ${this.#addedP99()}`,
    ].join(' · ');
  }

  /** How much longer the slowest sends took during a fault of Redis than without one, by run. */
  #addedP99(): string {
    const added = this.#verdicts
      .filter(({ counts }) => Math.min(counts.redisFaultSends.total, counts.quietSends.total) >= ENOUGH_SENDS)
      .map(({ counts }) => Math.max(0, counts.redisFaultSends.p99Ms - counts.quietSends.p99Ms))
      .toSorted((a, b) => a - b);
    const [median, most] = [added[added.length >> 1], added.at(-1)];
    if (median === undefined || most === undefined) return 'too few for their p99';
    return `p99 longer by ${median.toFixed(0)} ms (median of ${added.length} runs; at most ${most.toFixed(0)} ms)`;
  }
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`;
}
