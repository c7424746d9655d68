import type { EventOf } from '../history/event-of';
import { aftermathMs, type CheckOptions } from './check-options';
import type { Span } from './device-log';

/** A fault, from its injection until it was healed. */
export interface FaultSpan extends Span {
  id: string;
  /** The evidence that it took effect. */
  effect: string | null;
}

/** When the world was broken. */
export class FaultLog {
  readonly spans: FaultSpan[] = [];
  readonly #options: CheckOptions;
  #shadows: Span[] | null = null;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  take({ t, v }: EventOf<'info', 'fault'>): void {
    if (v.phase === 'start') {
      this.spans.push({ id: v.id, from: t, to: Number.POSITIVE_INFINITY, effect: null });
      return;
    }
    const open = this.spans.findLast(({ id, to }) => id === v.id && to === Number.POSITIVE_INFINITY);
    if (open === undefined) return;
    open.to = t;
    open.effect = v.effect;
  }

  /** When something that could begin at `from` must have happened. Faults in between postpone it. */
  deadline(from: number): number {
    let deadline = from + this.#options.promptMs;
    for (const shadow of this.#merged()) {
      if (shadow.from > deadline) break;
      if (shadow.to > from) deadline = Math.max(deadline, shadow.to);
    }
    return deadline;
  }

  /** Whether nothing was broken in this period or shortly before. */
  isQuiet(from: number, to: number): boolean {
    return !this.#merged().some((shadow) => shadow.from <= to && shadow.to >= from);
  }

  /** The ids of the faults that were active at any moment of this period. */
  during(from: number, to: number): string[] {
    return this.spans.filter((span) => span.from <= to && span.to >= from).map(({ id }) => id);
  }

  /** Each fault until its consequences must be over. Overlapping faults are merged. */
  #merged(): readonly Span[] {
    if (this.#shadows !== null) return this.#shadows;
    const shadows: Span[] = [];
    for (const span of this.spans) {
      const to = span.to + aftermathMs(this.#options);
      const last = shadows.at(-1);
      if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, to);
      else shadows.push({ from: span.from, to });
    }
    this.#shadows = shadows;
    return shadows;
  }
}
