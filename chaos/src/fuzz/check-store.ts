import { Client } from 'pg';
import type { Ledger } from './ledger';
import type { Report } from './report';

interface Row {
  id: string;
  sender: string;
  recipients: number;
}

/** Compares Postgres with the answers: it must hold everything that was accepted and nothing that was refused. */
export async function checkStore(databaseUrl: string, ledger: Ledger, report: Report): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await checkMessages(client, ledger, report);
    await checkCursors(client, ledger, report);
    await checkReads(client, ledger, report);
  } finally {
    await client.end();
  }
}

async function checkMessages(client: Client, ledger: Ledger, report: Report): Promise<void> {
  const { rows } = await client.query<Row>(
    `SELECT message.id, message.sender, count(entry.seq)::int AS recipients
     FROM message LEFT JOIN inbox_entry AS entry ON entry.message_id = message.id
     WHERE message.sender <> 'canary-sender' GROUP BY message.id`,
  );
  const stored = new Set(rows.map(({ id }) => id));
  const lost = [...ledger.accepted].filter((id) => !stored.has(id));
  if (lost.length > 0)
    report.fail(null, `${lost.length} accepted messages are not stored: ${lost.slice(0, 3).join(', ')}`);
  const surplus = rows.filter(({ id }) => !ledger.accepted.has(id));
  if (surplus.length > ledger.unknownSends) {
    const some = surplus.slice(0, 3).map(({ id, sender }) => `${id} of ${sender}`);
    report.fail(
      null,
      `${surplus.length} stored messages were never accepted, at most ${ledger.unknownSends} may be: ${some.join(', ')}`,
    );
  }
  const entries = rows
    .filter(({ id }) => ledger.accepted.has(id))
    .reduce((sum, { recipients }) => sum + recipients, 0);
  if (entries !== ledger.entries) report.fail(null, `${entries} inbox entries of ${ledger.entries}`);
  const [inboxes] = (
    await client.query<{ foreign: number }>(
      `SELECT count(*)::int AS foreign FROM inbox_entry JOIN message ON message.id = inbox_entry.message_id
       WHERE inbox_entry.user_id LIKE 'canary%' AND message.sender <> 'canary-sender'`,
    )
  ).rows;
  if (inboxes?.foreign !== 0)
    report.fail(null, `${inboxes?.foreign} entries in the canary's inbox are not its sender's`);
}

async function checkCursors(client: Client, ledger: Ledger, report: Report): Promise<void> {
  const { rows } = await client.query<{ user_id: string; cursor: string }>(
    `SELECT user_id, cursor FROM device WHERE device = 'fuzz'`,
  );
  for (const { user_id, cursor } of rows) {
    const { confirmed, possible } = ledger.cursorOf(user_id);
    if (Number(cursor) < confirmed || Number(cursor) > possible)
      report.fail(
        null,
        `the cursor of ${user_id} is ${cursor}, confirmed ${confirmed}, possible ${possible}`,
      );
  }
}

async function checkReads(client: Client, ledger: Ledger, report: Report): Promise<void> {
  const { rows } = await client.query<{ user_id: string; ids: string[] }>(
    `SELECT user_id, array_agg(message_id::text) AS ids FROM receipt WHERE read_at IS NOT NULL GROUP BY user_id`,
  );
  const stored = new Map(rows.map(({ user_id, ids }) => [user_id, new Set(ids)]));
  for (const [user, ids] of stored) {
    const { possible } = ledger.readsOf(user);
    const wrong = [...ids].filter((id) => !possible.has(id));
    if (wrong.length > 0)
      report.fail(null, `${wrong.length} messages count as read by ${user} that were not`);
  }
  for (const [user, { confirmed }] of ledger.reads) {
    const lost = [...confirmed].filter((id) => stored.get(user)?.has(id) !== true);
    if (lost.length > 0) report.fail(null, `${lost.length} confirmed reads of ${user} are not stored`);
  }
}
