import { LockedError, OutageError } from '../database/outage';

/** How to commit a batch, whole and in parts. */
export interface SplitOptions<Item, Out> {
  /**
   * Commits items in one statement. If it throws a LockedError, nothing was committed. After the first LockedError
   * `isPart` is true, and the statement must wait only briefly.
   */
  readonly commit: (items: readonly Item[], isPart: boolean) => Promise<readonly Out[]>;
  /** How long a batch is split into smaller parts: `LockWaits.splitMs`. */
  readonly splitMs: number;
  /** The rows that an item may be waiting for, when it was committed alone and met a lock. */
  readonly locksOf: (item: Item) => readonly string[];
  /** Called once, after the first LockedError. Finds the locked rows that each item needs, without waiting for them. */
  readonly findLocks?: (items: readonly Item[]) => Promise<(item: Item) => readonly string[]>;
}

/** Lock names in one error. An item that waits for more rows meets the others at a later attempt. */
const MAX_LOCKS = 16;

/**
 * Commits a batch so that no item fails because of another. If Postgres refuses an item, or another transaction has
 * locked a row that it needs, halving the batch finds that item, and only that item gets the error. An outage is the
 * error of every item of its statement. Never rejects.
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
    // If the left half succeeded, the cause is in the right half. Running the right half whole would only fail again.
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
  return new LockedError('another transaction has locked a row that is needed', {
    locks: locks.slice(0, MAX_LOCKS),
    cause,
  });
}
