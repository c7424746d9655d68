import type { Random } from '../random';
import type { ChaosWorld, RedisKind } from '../world/chaos-world';

/** A way in which the world breaks. */
export interface Fault {
  /** Its name in history, reports and `--only`. */
  id: string;
  /** One sentence for the report: what is done to what. */
  what: string;
  /** The kinds of Redis it makes sense on. */
  kinds: readonly RedisKind[];
  /** How long it stays, ms; a fault that is over at once has 0 and 0. */
  minMs: number;
  maxMs: number;
  inject(world: ChaosWorld, random: Random): Promise<Injected>;
}

/** A fault that is on. */
export interface Injected {
  /** What it hit, for the report. */
  target: string;
  /** Undoes it, and brings back what it ended. Resolves when the world is whole again as far as it can tell. */
  heal(): Promise<void>;
  /** How it was seen that the fault took effect (a changed pid, an exit, a counter, a failed call); null: it was not. */
  effect(): Promise<string | null>;
}

/** Faults that are the same on every kind of Redis. */
export const EVERY_KIND: readonly RedisKind[] = ['single', 'sentinel', 'cluster'];
