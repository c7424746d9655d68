import type { InboxDatabase } from '../database/database';
import { OutageError } from '../database/outage';
import { type CommitLocks, commitSends, TAKEN } from '../statements/commit-sends';
import { findLockedInboxes, type LockedInboxes } from './find-locked-inboxes';
import { inboxLock, keyLock, LOCK_WAITS, type LockWaits, lockedInbox } from './lock-wait';
import type { AcceptOutcome, NewMessage } from './new-message';
import { resolveTakenKeys } from './resolve-taken-keys';
import { splitBatch } from './split-batch';

/**
 * Entries of one statement, at most. A larger batch takes several statements, so that none holds its locks for long.
 */
const MAX_ENTRIES_PER_STATEMENT = 5_000;
const MAX_ROUNDS = 3;

/**
 * Commits a batch of messages. One statement, which is one transaction, writes the idempotency keys, counters,
 * messages and inbox entries of up to `MAX_ENTRIES_PER_STATEMENT` entries. Errors are returned, and each concerns one
 * send only. If another transaction has locked a row, the sends that need it get a `LockedError` and the others are
 * committed. An outage is the error of every send of its statement.
 *
 * @param lock the row that the whole batch is known to wait for (`LockedLane`); null for a first attempt
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
    // An expired key may be removed between the two statements. Such a send is tried again.
    waiting = await resolveTakenKeys(db, taken, outcomes);
  }
  const untold: NewMessage[] = [];
  for (const [twin, first] of twins) {
    const outcome = outcomeOfTwin(twin, first, outcomes.get(first));
    if (outcome === null) untold.push(twin);
    else outcomes.set(twin, outcome);
  }
  for (const send of [...waiting, ...(await resolveTakenKeys(db, untold, outcomes))])
    outcomes.set(send, new OutageError('the idempotency key was removed and taken again too often'));

  return sends.map((send) => outcomes.get(send) ?? new Error('a send without an outcome'));
}

/**
 * Separates sends that repeat a key of the same batch. Such a twin gets the outcome of the first, as if it came later.
 */
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

/** Derives the outcome of a twin from that of the first send. Null when only the stored message can decide. */
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
  // An earlier message owns the key, with another body than the first. That body may be the twin's.
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

/** The names of all rows that a send locks. */
export function locksOfSend({ sender, to, idempotency }: NewMessage): string[] {
  return [...(idempotency === undefined ? [] : [keyLock(sender, idempotency.key)]), ...to.map(inboxLock)];
}

/** Commits a chunk. A send that causes a refusal, or that needs a locked row, is left out and gets the error. */
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
    // A statement also waits for a row that another transaction has inserted but not committed. It is invisible.
    locksOf: (send) => {
      const { sender, to, idempotency } = send;
      const unseen = to.filter((user) => unborn.has(user)).map(inboxLock);
      if (idempotency !== undefined) unseen.unshift(keyLock(sender, idempotency.key));
      return unseen.length > 0 ? unseen : locksOfSend(send);
    },
  });
}

/** A batch that is known to wait for a counter locks it first, while it holds nothing that others need. */
function waitFor(lock: string | null, { sharedMs, lockedMs, partMs }: LockWaits): CommitLocks {
  if (lock === null) return { first: null, firstMs: sharedMs, thenMs: sharedMs };
  const first = lockedInbox(lock);
  return { first, firstMs: lockedMs, thenMs: first === null ? lockedMs : partMs };
}
