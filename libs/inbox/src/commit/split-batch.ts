import { LockedError, OutageError } from '../database/outage';

/** How a batch is committed, whole and in parts. */
export interface SplitOptions<Item, Out> {
  /**
   * Commits these in one statement. A LockedError says that nothing was done. `isPart` after the first of those:
   * by then every wait is too long.
   */
  readonly commit: (items: readonly Item[], isPart: boolean) => Promise<readonly Out[]>;
  /** How long a batch is taken apart: `LockWaits`. */
  readonly splitMs: number;
  /** What an item may be waiting for that stands alone. */
  readonly locksOf: (item: Item) => readonly string[];
  /** Asked once, after the first LockedError: what each item is known to wait for, without waiting for it. */
  readonly findLocks?: (items: readonly Item[]) => Promise<(item: Item) => readonly string[]>;
}

/** Names that one error carries: who waits for more finds the others later. */
const MAX_LOCKS = 16;

/**
 * Commits a batch so that nobody fails for a neighbour. An item that is to blame for a refusal, or that waits for
 * a row that another transaction has locked, is found by halving the batch, and gets its error alone. An
 * outage is everybody's. Never rejects.
 */
export async function splitBatch<Item, Out>(
  items: readonly Item[],
  { commit, splitMs, locksOf, findLocks }: SplitOptions<Item, Out>,
): Promise<(Out | Error)[]> {
  let splitUntil: number | null = null;

  async function attempt(part: readonly Item[]): Promise<(Out | Error)[]> {
    if (part.length === 0) return [];
    if (splitUntil !== null && performance.now() > splitUntil)
      return part.map((item) => lockedBy(locksOf(item)));
    try {
      return [...(await commit(part, splitUntil !== null))];
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (error instanceof LockedError) return await withoutLocked(part, error);
      return error instanceof OutageError || part.length === 1 ? part.map(() => error) : await halve(part);
    }
  }

  async function withoutLocked(part: readonly Item[], error: LockedError): Promise<(Out | Error)[]> {
    if (splitUntil === null) {
      splitUntil = performance.now() + splitMs;
      if (findLocks !== undefined) return await setAside(part, findLocks);
    }
    if (part.length > 1) return await halve(part);
    return part.map((item) => lockedBy(locksOf(item), error));
  }

  async function setAside(
    part: readonly Item[],
    find: NonNullable<typeof findLocks>,
  ): Promise<(Out | Error)[]> {
    try {
      const knownLocks = await find(part);
      const locks = part.map(knownLocks);
      const outcomes = (await attempt(part.filter((_, index) => locks[index]?.length === 0))).values();
      return locks.map((known) => (known.length > 0 ? lockedBy(known) : next(outcomes)));
    } catch (error) {
      return part.map(() => (error instanceof Error ? error : new Error(String(error))));
    }
  }

  async function halve(part: readonly Item[]): Promise<(Out | Error)[]> {
    const middle = Math.ceil(part.length / 2);
    const left = await attempt(part.slice(0, middle));
    const right = part.slice(middle);
    // Where the left half is well, the right one is to blame: nothing is gained by running it whole.
    const isBlamed = right.length > 1 && !left.some((outcome) => outcome instanceof Error);
    return [...left, ...(await (isBlamed ? halve(right) : attempt(right)))];
  }

  return await attempt(items);
}

function next<T>(outcomes: Iterator<T, unknown>): T {
  const outcome = outcomes.next();
  if (outcome.done === true) throw new Error('fewer outcomes than items');
  return outcome.value;
}

function lockedBy(locks: readonly string[], cause?: Error): LockedError {
  return new LockedError('a row that it needs is locked by another transaction', {
    locks: locks.slice(0, MAX_LOCKS),
    cause,
  });
}
