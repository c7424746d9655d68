import { randomInt } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { lockTimeoutSql } from '../commit/lock-wait';
import type { AcceptedMessage, NewMessage } from '../commit/new-message';
import type { InboxDatabase, Statement } from '../database/database';
import { nowSql, nowTextSql } from '../database/message-row';

/** How long the statement waits for locks, and which lock it takes first. */
export interface CommitLocks {
  /** The user whose counter is locked first, while the statement holds no other lock; null for none. */
  readonly first: string | null;
  /** The wait for that counter, in milliseconds. */
  readonly firstMs: number;
  /** The wait for each later lock, in milliseconds. */
  readonly thenMs: number;
}

/** The outcome of a send whose idempotency key belongs to another message. Nothing of the send was stored. */
export const TAKEN = 'taken';

interface EntryRow {
  message_id: string;
  user_id: string;
  seq: number;
  created_at: string;
  epoch: string;
}

/**
 * Commits messages in one statement: all or nothing, except those whose key is taken.
 * It locks the keys in byte order, then the counter rows in byte order. No transaction waits for a key while it holds a
 * counter, so no deadlock can form. The counter `first` is the exception: it is locked before everything else. The
 * waits after it (`thenMs`) are too short for a deadlock to last.
 *
 * @throws LockedError when a row stays locked: nothing was stored
 * @throws OutageError
 */
export async function commitSends(
  db: InboxDatabase,
  sends: readonly NewMessage[],
  { first, firstMs, thenMs }: CommitLocks,
): Promise<(AcceptedMessage | typeof TAKEN)[]> {
  const ids = makeIds(sends.length);
  const pairs = sends
    .flatMap((send, index) => send.to.map((user) => ({ user, index })))
    .sort((a, b) => compareBytes(a.user, b.user) || a.index - b.index);

  const rows = await db.run<EntryRow>(ACCEPT, [
    ids,
    sends.map((send) => send.sender),
    sends.map((send) => arrayLiteral(send.to)),
    sends.map((send) => send.text ?? null),
    sends.map((send) => (send.data === undefined ? null : JSON.stringify(send.data))),
    sends.map((send) => send.idempotency?.key ?? null),
    sends.map((send) => send.idempotency?.bodyHash ?? null),
    pairs.map((pair) => pair.user),
    pairs.map((pair) => ids[pair.index]),
    first,
    String(firstMs),
    String(thenMs),
  ]);

  const rowsById = new Map<string, EntryRow[]>();
  for (const row of rows) {
    const placed = rowsById.get(row.message_id);
    if (placed === undefined) rowsById.set(row.message_id, [row]);
    else placed.push(row);
  }
  return sends.map((send, index) => {
    const placed = rowsById.get(ids[index] ?? '');
    return placed === undefined ? TAKEN : acceptedMessage(send, placed);
  });
}

/**
 * Makes rising ids from the current time. Postgres refuses an id of another day, so ids must follow our clock at once
 * when it is corrected, also backwards.
 */
function makeIds(count: number): string[] {
  const msecs = Date.now();
  const first = randomInt(2 ** 31);
  return Array.from({ length: count }, (_, index) => uuidv7({ msecs, seq: first + index }));
}

function acceptedMessage(send: NewMessage, placed: readonly EntryRow[]): AcceptedMessage {
  const [row] = placed;
  if (row === undefined) throw new Error('a message without an entry');
  return {
    kind: 'accepted',
    message: {
      id: row.message_id,
      from: send.sender,
      to: send.to,
      ...(send.text === undefined ? {} : { text: send.text }),
      ...(send.data === undefined ? {} : { data: send.data }),
      createdAt: row.created_at,
    },
    epoch: row.epoch,
    entries: placed.map(({ user_id: user, seq }) => ({ user, seq })),
    ...(send.trace === undefined ? {} : { trace: send.trace }),
  };
}

/** User ids are ASCII. So comparing UTF-16 units gives the same order as comparing bytes, which `COLLATE "C"` does. */
function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A Postgres array literal. User ids contain no quote and no backslash, so nothing is escaped. */
function arrayLiteral(users: readonly string[]): string {
  return `{${users.map((user) => `"${user}"`).join(',')}}`;
}

/**
 * - `waited` locks the counter `first`, which another transaction is known to hold.
 * - `taken` claims the keys. If a key is in use, it waits for the owner's commit and then leaves the message out.
 * - `place` numbers the entries of each inbox, counts them (`total`), and numbers the inboxes (`inbox`).
 * - `counter` locks and moves the counter rows in byte order. The lock is held until the commit, so the order of `seq`
 *   is the order of commits.
 *
 * Nothing is joined. Postgres estimates ten rows for a batch of any size, and would compare each row with each other
 * row (ADR 0016). A condition within an OR is looked up in a hash. The counters are an array, sorted by inbox.
 */
const ACCEPT: Statement = {
  name: 'accept-messages',
  text: `
    WITH waited AS MATERIALIZED (
      SELECT i.user_id FROM inbox i, ${lockTimeoutSql('$11')}
      WHERE i.user_id = $10 FOR NO KEY UPDATE OF i
    ), input AS MATERIALIZED (
      SELECT m.*
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
        AS m (id, sender, recipients, text, data, key, body_hash),
        (SELECT lock_wait FROM ${lockTimeoutSql('$12')} WHERE (SELECT count(*) FROM waited) >= 0) AS then_wait
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
        count(*) OVER (PARTITION BY user_id) AS total,
        dense_rank() OVER (ORDER BY user_id) AS inbox
      FROM (
        SELECT user_id COLLATE "C" AS user_id, message_id, nth
        FROM unnest($8::text[], $9::uuid[]) WITH ORDINALITY AS p (user_id, message_id, nth)
        WHERE message_id IS NULL OR message_id IN (SELECT id FROM accepted)
      ) AS p
    ), counter AS (
      INSERT INTO inbox (user_id, newest_seq)
      SELECT user_id, total FROM place WHERE nth = 1
      ORDER BY user_id
      ON CONFLICT (user_id) DO UPDATE SET newest_seq = inbox.newest_seq + EXCLUDED.newest_seq
      RETURNING user_id, newest_seq
    ), stored AS (
      INSERT INTO message (id, sender, recipients, text, data, created_at)
      SELECT id, sender, recipients::text[], text, data::json, ${nowSql} FROM accepted
    ), placed AS (
      INSERT INTO inbox_entry (user_id, seq, message_id)
      SELECT user_id, newest[inbox] - total + nth, message_id
      FROM place, (SELECT array_agg(newest_seq ORDER BY user_id) AS newest FROM counter) AS counters
      RETURNING user_id, seq, message_id
    )
    SELECT message_id, user_id, seq, ${nowTextSql} AS created_at, (SELECT epoch FROM epoch) AS epoch
    FROM placed`,
};
