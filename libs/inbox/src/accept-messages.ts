import { v7 as uuidv7 } from 'uuid';
import type { InboxDatabase, Statement } from './database';
import { nowSql, timeSql } from './message-row';
import type { AcceptOutcome, NewMessage } from './new-message';
import { OutageError } from './outage';
import { resolveTakenKeys } from './resolve-taken-keys';

/** More entries than this go into statements of their own, so that none holds its locks for long. */
const MAX_ENTRIES_PER_STATEMENT = 5_000;
const MAX_ROUNDS = 3;

/**
 * Commits a batch of messages: idempotency keys, counters, messages and inbox entries in one statement,
 * which is one transaction. An item's own error does not fail its neighbours.
 * The locks: keys first, in byte order, then counter rows, in byte order. No transaction waits for a key
 * while it holds a counter, so no cycle can form.
 */
export async function acceptMessages(
  db: InboxDatabase,
  sends: readonly NewMessage[],
): Promise<(AcceptOutcome | Error)[]> {
  const outcomes = new Map<NewMessage, AcceptOutcome | Error>();
  const { firsts, twins } = splitTwins(sends);

  let waiting = firsts;
  for (let round = 0; waiting.length > 0 && round < MAX_ROUNDS; round++) {
    const taken: NewMessage[] = [];
    for (const chunk of chunkByEntries(waiting)) taken.push(...(await commitOrSplit(db, chunk, outcomes)));
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

/** Commits a chunk; if one of several is to blame for a refusal, halves it until that one stands alone. */
async function commitOrSplit(
  db: InboxDatabase,
  chunk: readonly NewMessage[],
  outcomes: Map<NewMessage, AcceptOutcome | Error>,
): Promise<NewMessage[]> {
  try {
    return await commit(db, chunk, outcomes);
  } catch (error) {
    const blame = error instanceof Error ? error : new Error(String(error));
    if (blame instanceof OutageError || chunk.length === 1) {
      for (const send of chunk) outcomes.set(send, blame);
      return [];
    }
    const middle = Math.ceil(chunk.length / 2);
    return [
      ...(await commitOrSplit(db, chunk.slice(0, middle), outcomes)),
      ...(await commitOrSplit(db, chunk.slice(middle), outcomes)),
    ];
  }
}

interface EntryRow {
  message_id: string;
  user_id: string;
  seq: number;
  created_at: string;
  epoch: string;
}

/** Runs the statement; returns the sends whose key was taken already. */
async function commit(
  db: InboxDatabase,
  chunk: readonly NewMessage[],
  outcomes: Map<NewMessage, AcceptOutcome | Error>,
): Promise<NewMessage[]> {
  const ids = chunk.map(() => uuidv7());
  const pairs = chunk
    .flatMap((send, index) => send.to.map((user) => ({ user, index })))
    .sort((a, b) => compareBytes(a.user, b.user) || a.index - b.index);

  const rows = await db.run<EntryRow>(ACCEPT, [
    ids,
    chunk.map((send) => send.sender),
    chunk.map((send) => arrayLiteral(send.to)),
    chunk.map((send) => send.text ?? null),
    chunk.map((send) => (send.data === undefined ? null : JSON.stringify(send.data))),
    chunk.map((send) => send.idempotency?.key ?? null),
    chunk.map((send) => send.idempotency?.bodyHash ?? null),
    pairs.map((pair) => pair.user),
    pairs.map((pair) => ids[pair.index]),
  ]);

  const rowsById = new Map<string, EntryRow[]>();
  for (const row of rows) {
    const placed = rowsById.get(row.message_id);
    if (placed === undefined) rowsById.set(row.message_id, [row]);
    else placed.push(row);
  }
  const taken: NewMessage[] = [];
  for (const [index, send] of chunk.entries()) {
    const placed = rowsById.get(ids[index] ?? '');
    const [first] = placed ?? [];
    if (placed === undefined || first === undefined) {
      taken.push(send);
      continue;
    }
    outcomes.set(send, {
      kind: 'accepted',
      message: {
        id: first.message_id,
        from: send.sender,
        to: send.to,
        ...(send.text === undefined ? {} : { text: send.text }),
        ...(send.data === undefined ? {} : { data: send.data }),
        createdAt: first.created_at,
      },
      epoch: first.epoch,
      entries: placed.map((row) => ({ user: row.user_id, seq: row.seq })),
    });
  }
  return taken;
}

/** User ids are ASCII, so comparing UTF-16 units is comparing bytes, as `COLLATE "C"` does. */
function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A Postgres array literal; the alphabet of user ids has no quote or backslash. */
function arrayLiteral(users: readonly string[]): string {
  return `{${users.map((user) => `"${user}"`).join(',')}}`;
}

/**
 * `taken` claims the keys; a key in use waits for its owner's commit, then leaves its message out.
 * `place` says how many entries each inbox gets and which is which. `counter` locks and moves the counter
 * rows in byte order: that lock, held to the commit, is what makes the order of `seq` the order of commits.
 */
const ACCEPT: Statement = {
  name: 'accept-messages',
  text: `
    WITH input AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
        AS m (id, sender, recipients, text, data, key, body_hash)
    ), taken AS (
      INSERT INTO idempotency_key (sender, key, body_hash, message_id)
      SELECT sender, key, body_hash, id FROM input WHERE key IS NOT NULL
      ORDER BY sender COLLATE "C", key COLLATE "C"
      ON CONFLICT DO NOTHING
      RETURNING message_id
    ), accepted AS MATERIALIZED (
      SELECT * FROM input WHERE key IS NULL OR id IN (SELECT message_id FROM taken)
    ), place AS MATERIALIZED (
      SELECT user_id, message_id,
        row_number() OVER (PARTITION BY user_id ORDER BY nth) AS nth,
        count(*) OVER (PARTITION BY user_id) AS total
      FROM unnest($8::text[], $9::uuid[]) WITH ORDINALITY AS p (user_id, message_id, nth)
      WHERE message_id IN (SELECT id FROM accepted)
    ), counter AS (
      INSERT INTO inbox (user_id, newest_seq)
      SELECT user_id, total FROM place WHERE nth = 1
      ORDER BY user_id COLLATE "C"
      ON CONFLICT (user_id) DO UPDATE SET newest_seq = inbox.newest_seq + EXCLUDED.newest_seq
      RETURNING user_id, newest_seq
    ), stored AS (
      INSERT INTO message (id, sender, recipients, text, data, created_at)
      SELECT id, sender, recipients::text[], text, data::json, ${nowSql} FROM accepted
    ), placed AS (
      INSERT INTO inbox_entry (user_id, seq, message_id)
      SELECT user_id, counter.newest_seq - place.total + place.nth, place.message_id
      FROM place JOIN counter USING (user_id)
      RETURNING user_id, seq, message_id
    )
    SELECT message_id, user_id, seq, ${timeSql(nowSql)} AS created_at, (SELECT epoch FROM epoch) AS epoch
    FROM placed`,
};
