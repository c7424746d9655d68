import type { Verdict } from './check/verdict';

/** Several runs together. */
export class Summary {
  readonly #verdicts: Verdict[] = [];

  add(verdict: Verdict): void {
    this.#verdicts.push(verdict);
  }

  /** How many runs had each verdict. */
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
      `${sum((counts) => counts.faultsProven)} of ${sum((counts) => counts.faultsInjected)} faults took effect`,
      `${sum((counts) => counts.acknowledged)} messages acknowledged, ${sum((counts) => counts.recovered)} more were committed without an answer`,
      `${deliveries} deliveries, ${percent(resent, deliveries)} sent again`,
      `lost ${sum((counts) => counts.lost)}`,
      `misdelivered ${sum((counts) => counts.misdelivered)}`,
      `phantom ${sum((counts) => counts.phantoms)}`,
      `out of order ${sum((counts) => counts.inversions)}`,
      `silently missing ${sum((counts) => counts.gaps)}`,
      `at or below a cursor ${sum((counts) => counts.duplicatesBelowCursor)}`,
      `sends during faults of Redis: ${percent(redisOk, redisTotal)} of ${redisTotal} answered 200 or 201`,
    ].join(' · ');
  }
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`;
}
