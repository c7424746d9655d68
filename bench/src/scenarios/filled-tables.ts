import { query } from '../world/stores';

/** How much the tables hold before the measurement. */
export interface Filling {
  /** `u0`, `u1` … */
  users: number;
  /** Messages, distributed over all users' inboxes in turn. At least one for each user. */
  messages: number;
  /** Additional messages in the inbox of `u0`. */
  inboxOfOne: number;
}

const CHUNK = 500_000;
/** The tables whose size should not matter. */
const GROWING = ['message', 'inbox', 'inbox_entry', 'device', 'receipt', 'idempotency_key'];

/** Fills empty tables with messages, entries, counters, devices and receipts. Ids rise like those of real messages. */
export async function fillTables(
  databaseUrl: string,
  filling: Filling,
  say: (text: string) => void,
): Promise<void> {
  const wanted = Math.max(filling.users, filling.messages) + filling.inboxOfOne;
  for (let from = 0; from < wanted; from += CHUNK) {
    const to = Math.min(from + CHUNK, wanted);
    await query(databaseUrl, FILL, [from, to - 1, filling.users, filling.inboxOfOne]);
    say(`${to.toLocaleString('en-US')} of ${wanted.toLocaleString('en-US')} messages are in the tables`);
  }
  await query(databaseUrl, COUNTERS);
  await query(databaseUrl, DEVICES);
  await query(databaseUrl, 'VACUUM ANALYZE');
  await query(databaseUrl, 'CHECKPOINT');
}

/** The number of sequential scans so far of each growing table, its partitions added up. */
export async function seqScansOf(databaseUrl: string): Promise<Map<string, number>> {
  const rows = await query<{ name: string; count: number }>(
    databaseUrl,
    `SELECT name, sum(seq_scan)::int AS count
     FROM (SELECT seq_scan, regexp_replace(relname, '_from_.*', '') AS name FROM pg_stat_user_tables) AS scanned
     WHERE name = ANY ($1) GROUP BY name`,
    [GROWING],
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

/** The first `$4` messages are for `u0`, the others for each user in turn. */
const FILL = `
  WITH filled AS (
    SELECT (overlay(now_hex placing '-' from 9 for 0) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
      'u' || (CASE WHEN n < $4 THEN 0 ELSE (n - $4) % $3 END) AS user_id,
      CASE WHEN n < $4 THEN n + 1
        ELSE (n - $4) / $3 + 1 + CASE WHEN (n - $4) % $3 = 0 THEN $4 ELSE 0 END END AS seq
    FROM generate_series($1::bigint, $2::bigint) AS n, (SELECT $3::bigint, $4::bigint) AS typed,
      (SELECT lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') AS now_hex) AS made
  ), stored AS (
    INSERT INTO message (id, sender, recipients, text, created_at)
    SELECT id, 'filling', ARRAY[user_id], rpad('#', 256, 'the quick brown fox '), now() FROM filled
  ), received AS (
    INSERT INTO receipt (message_id, user_id, delivered_at) SELECT id, user_id, now() FROM filled
  )
  INSERT INTO inbox_entry (user_id, seq, message_id) SELECT user_id, seq, id FROM filled`;

const COUNTERS = `
  INSERT INTO inbox (user_id, newest_seq) SELECT user_id, max(seq) FROM inbox_entry GROUP BY user_id`;

/** One device per user has acknowledged all filled-in messages, so that it gets only what is sent afterwards. */
const DEVICES = `
  INSERT INTO device (user_id, device, cursor) SELECT user_id, 'bench', newest_seq FROM inbox`;
