import type { InboxDatabase } from '../database/database';
import { OutageError } from '../database/outage';
import { type CommitLocks, commitSends, TAKEN } from '../statements/commit-sends';
import { findLockedInboxes, type LockedInboxes } from './find-locked-inboxes';
import { inboxLock, keyLock, LOCK_WAITS, type LockWaits, lockedInbox } from './lock-wait';
import type { AcceptOutcome, NewMessage } from './new-message';
import { resolveTakenKeys } from './resolve-taken-keys';
import { splitBatch } from './split-batch';

/** More entries than this go into statements of their own, so that none holds its locks for long. */
const MAX_ENTRIES_PER_STATEMENT = 5_000;
const MAX_ROUNDS = 3;

/**
 * Commits a batch of messages: idempotency keys, counters, messages and inbox entries in one statement,
 * which is one transaction. An item's own error does not fail its neighbours, and neither does a row that
 * another transaction has locked: who needs it gets a `LockedError`, the others are committed.
 *
 * @param lock what the batch is known to wait for, where it is one of those that were left behind
 */
export async function acceptMessages(
  db: InboxDatabase,
  sends: readonly NewMessage[],
  lock: string | null = null,
  waits: LockWaits = LOCK_WAITS,
): Promise<(AcceptOutcome | Error)[]> {
  const outcomes = new Map<NewMessage, AcceptOutcome | Error>();
  const { firsts, twins } = splitTwins(sends);

  let waiting = firsts;
  for (let round = 0; waiting.length > 0 && round < MAX_ROUNDS; round++) {
    const taken: NewMessage[] = [];
    for (const chunk of chunkByEntries(waiting)) {
      for (const [index, outcome] of (await commitChunk(db, chunk, lock, waits)).entries()) {
        const send = chunk[index];
        if (send === undefined) continue;
        if (outcome === TAKEN) taken.push(send);
        else outcomes.set(send, outcome);
      }
    }
    // A key may have gone between the two statements (its time was over): such a send starts anew.
    waiting = await resolveTakenKeys(db, taken, outcomes);
  }
  const untold: NewMessage[] = [];
  for (const [twin, first] of twins) {
    const outcome = outcomeOfTwin(twin, first, outcomes.get(first));
    if (outcome === null) untold.push(twin);
    else outcomes.set(twin, outcome);
  }
  for (const send of [...waiting, ...(await resolveTakenKeys(db, untold, outcomes))])
    outcomes.set(send, new OutageError('an idempotency key changed hands too often'));

  return sends.map((send) => outcomes.get(send) ?? new Error('a send without an outcome'));
}

/** Two sends with one key in one batch: the second gets the outcome of the first, as if it had come later. */
function splitTwins(sends: readonly NewMessage[]): {
  firsts: NewMessage[];
  twins: [NewMessage, NewMessage][];
} {
  const owners = new Map<string, NewMessage>();
  const firsts: NewMessage[] = [];
  const twins: [NewMessage, NewMessage][] = [];
  for (const send of sends) {
    const name = send.idempotency && `${send.sender} ${send.idempotency.key}`;
    const first = name === undefined ? undefined : owners.get(name);
    if (first !== undefined) {
      twins.push([send, first]);
      continue;
    }
    if (name !== undefined) owners.set(name, send);
    firsts.push(send);
  }
  return { firsts, twins };
}

/** What follows for the twin from the first's outcome; null when only the stored message tells. */
function outcomeOfTwin(
  twin: NewMessage,
  first: NewMessage,
  outcome: AcceptOutcome | Error | undefined,
): AcceptOutcome | Error | null {
  if (outcome === undefined || outcome instanceof Error)
    return outcome ?? new Error('a send without an outcome');
  if (twin.idempotency === undefined || first.idempotency === undefined)
    return new Error('a twin without a key');
  const isSameBody = twin.idempotency.bodyHash.equals(first.idempotency.bodyHash);
  // The first has itself lost the key to another body, which may be the twin's.
  if (outcome.kind === 'conflict') return isSameBody ? outcome : null;
  if (!isSameBody) return { kind: 'conflict' };
  return { kind: 'replayed', message: outcome.message };
}

function* chunkByEntries(sends: readonly NewMessage[]): Generator<NewMessage[]> {
  let chunk: NewMessage[] = [];
  let entries = 0;
  for (const send of sends) {
    if (chunk.length > 0 && entries + send.to.length > MAX_ENTRIES_PER_STATEMENT) {
      yield chunk;
      chunk = [];
      entries = 0;
    }
    chunk.push(send);
    entries += send.to.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** Every row that a send locks, by name. */
export function locksOfSend({ sender, to, idempotency }: NewMessage): string[] {
  return [...(idempotency === undefined ? [] : [keyLock(sender, idempotency.key)]), ...to.map(inboxLock)];
}

/** Commits a chunk; what is to blame for a refusal, or for a wait, is left out of it. */
async function commitChunk(
  db: InboxDatabase,
  chunk: readonly NewMessage[],
  lock: string | null,
  waits: LockWaits,
): Promise<(AcceptOutcome | typeof TAKEN | Error)[]> {
  let unborn: LockedInboxes['unborn'] = new Set();
  return await splitBatch(chunk, {
    commit: (sends, isPart) =>
      commitSends(
        db,
        sends,
        isPart ? { first: null, firstMs: waits.partMs, thenMs: waits.partMs } : waitFor(lock, waits),
      ),
    splitMs: waits.splitMs,
    findLocks: async (sends) => {
      const found = await findLockedInboxes(db, [...new Set(sends.flatMap(({ to }) => to))]);
      unborn = found.unborn;
      return ({ to }) => to.filter((user) => found.locked.has(user)).map(inboxLock);
    },
    // A row that is not committed yet can be waited for, but not seen.
    locksOf: (send) => {
      const { sender, to, idempotency } = send;
      const unseen = to.filter((user) => unborn.has(user)).map(inboxLock);
      if (idempotency !== undefined) unseen.unshift(keyLock(sender, idempotency.key));
      return unseen.length > 0 ? unseen : locksOfSend(send);
    },
  });
}

/** Who is known to wait for a counter waits for that first, before it holds anything that others need. */
function waitFor(lock: string | null, { sharedMs, lockedMs, partMs }: LockWaits): CommitLocks {
  if (lock === null) return { first: null, firstMs: sharedMs, thenMs: sharedMs };
  const first = lockedInbox(lock);
  return { first, firstMs: lockedMs, thenMs: first === null ? lockedMs : partMs };
}
