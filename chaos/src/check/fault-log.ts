import type { EventOf } from '../history/event-of';
import { aftermathMs, type CheckOptions } from './check-options';
import type { Span } from './device-log';

/** A fault, from its injection until it was healed. */
export interface FaultSpan extends Span {
  id: string;
  /** How it was seen to have happened. */
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

  /** By when something must have happened that could begin at `from`: faults on the way put it off. */
  deadline(from: number): number {
    let deadline = from + this.#options.promptMs;
    for (const shadow of this.#merged()) {
      if (shadow.from > deadline) break;
      if (shadow.to > from) deadline = Math.max(deadline, shadow.to);
    }
    return deadline;
  }

  /** True when nothing was broken in this time, nor shortly before. */
  isQuiet(from: number, to: number): boolean {
    return !this.#merged().some((shadow) => shadow.from <= to && shadow.to >= from);
  }

  /** The ids of the faults that were on at some moment of this time. */
  during(from: number, to: number): string[] {
    return this.spans.filter((span) => span.from <= to && span.to >= from).map(({ id }) => id);
  }

  /** Each fault until its consequences must be over; those that overlap are one. */
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
