import type { Random } from '../random';
import type { ChaosWorld, RedisKind } from '../world/chaos-world';

/** A way to break the world. */
export interface Fault {
  /** Its name in history, reports and `--only`. */
  id: string;
  /** One sentence for the report: what happens to what. */
  what: string;
  /** The kinds of Redis for which it makes sense. */
  kinds: readonly RedisKind[];
  /** How long it lasts, in ms. A fault that is over at once has 0 and 0. */
  minMs: number;
  maxMs: number;
  inject(world: ChaosWorld, random: Random): Promise<Injected>;
}

/** An active fault. */
export interface Injected {
  /** What it hit, for the report. */
  target: string;
  /** Undoes it and restarts what it ended. Resolves when the world is whole again, as far as the fault can see. */
  heal(): Promise<void>;
  /**
   * The evidence that the fault took effect (a changed pid, an exit, a counter, a failed call); null if there is
   * none.
   */
  effect(): Promise<string | null>;
}

/** For faults that are the same on every kind of Redis. */
export const EVERY_KIND: readonly RedisKind[] = ['single', 'sentinel', 'cluster'];
