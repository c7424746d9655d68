import { LockedError } from '../database/outage';
import { LOCK_WAITS } from './lock-wait';

export interface LockedLaneOptions<In, Out> {
  /**
   * Commits these, which wait for the same `lock`. A `LockedError` that names locks sends its item back into
   * the lane.
   */
  readonly run: (items: readonly In[], lock: string) => Promise<readonly (Out | Error)[]>;
  /** The names of all rows that an item locks. */
  readonly locksOf: (item: In) => readonly string[];
  /** Items at most; beyond it an item gets its `LockedError` at once. */
  readonly maxWaiting: number;
  /** Statements under way at most. */
  readonly concurrency: number;
  /** How long an item waits in all, unless it is the usual time. */
  readonly maxWaitMs?: number;
  /** Asked before each turn: an error takes the item out of the lane. */
  readonly expired?: (item: In) => Error | null;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly until: number;
  /** What a statement found it to wait for; empty for one that only follows others here. */
  found: readonly string[];
  readonly settle: (outcome: Out | Error) => void;
}

const MAX_TURN = 256;

/**
 * Where those wait that need a row which another transaction has locked, so that nobody else waits with them. Who
 * waits for the same rows shares a statement, and the statements take turns. While somebody is found to wait for a
 * row, others that need it come here at once.
 */
export class LockedLane<In, Out> {
  readonly #options: LockedLaneOptions<In, Out>;
  /** By the row that is waited for; whose turn is next comes first. */
  readonly #groups = new Map<string, Waiting<In, Out>[]>();
  readonly #busy = new Set<string>();
  /** How many are found to wait for each row. */
  readonly #found = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  #pending = 0;
  /** Those in the lane, and those that may still come into it. */
  #underWay = 0;

  constructor(options: LockedLaneOptions<In, Out>) {
    this.#options = options;
  }

  /** Items in the lane. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Commits an item the usual way, unless a row that it needs is known to be locked, and here if one turns out
   * to be.
   *
   * @throws LockedError when the row stays locked; else what `submit` or `run` answered
   */
  async around(item: In, submit: (item: In) => Promise<Out>): Promise<Out> {
    const until = performance.now() + (this.#options.maxWaitMs ?? LOCK_WAITS.laneMs);
    this.#underWay += 1;
    try {
      const known =
        this.#found.size === 0 ? [] : this.#options.locksOf(item).filter((lock) => this.#found.has(lock));
      if (known.length > 0)
        return await this.#wait(item, until, known, new LockedError('too many wait for locked rows'));
      try {
        return await submit(item);
      } catch (error) {
        if (!(error instanceof LockedError) || error.locks.length === 0) throw error;
        return await this.#wait(item, until, [], error);
      }
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Resolves when nothing that came to `around` is under way. */
  idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  async #wait(item: In, until: number, known: readonly string[], error: LockedError): Promise<Out> {
    if (this.#pending >= this.#options.maxWaiting) throw error;
    this.#pending += 1;
    return await new Promise<Out>((resolve, reject) => {
      const waiting: Waiting<In, Out> = {
        item,
        until,
        found: [],
        settle: (outcome) => {
          this.#leave(waiting);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
      };
      if (known.length === 0) this.#mark(waiting, error.locks);
      this.#enqueue(waiting, known.length === 0 ? error.locks : known);
    });
  }

  /**
   * An item waits for one row at a time, the one that most are found to wait for: who waited for several would hold
   * the first while it waits for the next.
   */
  #enqueue(waiting: Waiting<In, Out>, locks: readonly string[]): void {
    const countOf = (lock: string): number => this.#found.get(lock) ?? 0;
    const lock = locks.reduce((most, other) => (countOf(other) > countOf(most) ? other : most));
    const group = this.#groups.get(lock);
    if (group === undefined) this.#groups.set(lock, [waiting]);
    else group.push(waiting);
    this.#takeTurns();
  }

  #takeTurns(): void {
    for (const [lock, group] of this.#groups) {
      if (this.#busy.size >= this.#options.concurrency) return;
      if (this.#busy.has(lock)) continue;
      this.#groups.delete(lock);
      this.#busy.add(lock);
      const turn = group.splice(0, MAX_TURN);
      if (group.length > 0) this.#groups.set(lock, group);
      void this.#turn(turn, lock).finally(() => {
        this.#busy.delete(lock);
        this.#takeTurns();
      });
    }
  }

  async #turn(turn: readonly Waiting<In, Out>[], lock: string): Promise<void> {
    const { run, expired } = this.#options;
    const live = turn.filter((waiting) => {
      const isLate = performance.now() >= waiting.until;
      const refusal = expired?.(waiting.item) ?? (isLate ? new LockedError(`${lock} stays locked`) : null);
      if (refusal !== null) waiting.settle(refusal);
      return refusal === null;
    });
    if (live.length === 0) return;
    const items = live.map(({ item }) => item);
    const outcomes = await run(items, lock).catch((cause: unknown) =>
      live.map(() => (cause instanceof Error ? cause : new Error(String(cause)))),
    );
    for (const [index, waiting] of live.entries()) {
      const outcome = outcomes[index] ?? new Error('fewer outcomes than items');
      const isLocked = outcome instanceof LockedError && outcome.locks.length > 0;
      if (isLocked && performance.now() < waiting.until) {
        this.#mark(waiting, outcome.locks);
        this.#enqueue(waiting, outcome.locks);
      } else {
        waiting.settle(outcome);
      }
    }
  }

  #mark(waiting: Waiting<In, Out>, locks: readonly string[]): void {
    for (const lock of locks) this.#found.set(lock, (this.#found.get(lock) ?? 0) + 1);
    this.#unmark(waiting);
    waiting.found = locks;
  }

  #unmark({ found }: Waiting<In, Out>): void {
    for (const lock of found) {
      const others = (this.#found.get(lock) ?? 1) - 1;
      if (others > 0) this.#found.set(lock, others);
      else this.#found.delete(lock);
    }
  }

  #leave(waiting: Waiting<In, Out>): void {
    this.#unmark(waiting);
    this.#pending -= 1;
  }
}
