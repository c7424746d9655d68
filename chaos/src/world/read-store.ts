import type { JsonObject } from '@posthorn/protocol';
import type { StoreState } from '../history/history';
import { hashOf } from '../workload/message-body';
import type { PostgresControl } from './chaos-world';

interface MessageRow {
  id: string;
  sender: string;
  recipients: string[];
  text: string | null;
  data: JsonObject | null;
  key: string | null;
  createdAt: string;
}

/** Everything that the run left in Postgres. */
export async function readStore(postgres: PostgresControl): Promise<StoreState> {
  const [epoch] = await postgres.query<{ epoch: string }>('SELECT epoch FROM epoch');
  const messages = await postgres.query<MessageRow>(
    `SELECT m.id, m.sender, m.recipients, m.text, m.data, k.key, ${timeSql('m.created_at')} AS "createdAt"
     FROM message m LEFT JOIN idempotency_key k ON k.message_id = m.id`,
  );
  return {
    epoch: epoch?.epoch ?? '',
    messages: messages.map(({ id, sender, recipients, text, data, key, createdAt }) => ({
      id,
      sender,
      to: recipients,
      h: hashOf({ text: text ?? undefined, data: data ?? undefined }),
      key,
      createdAt,
    })),
    entries: await postgres.query(
      'SELECT user_id AS user, seq::float8 AS seq, message_id AS id FROM inbox_entry ORDER BY user_id, seq',
    ),
    inboxes: await postgres.query('SELECT user_id AS user, newest_seq::float8 AS "newestSeq" FROM inbox'),
    devices: await postgres.query('SELECT user_id AS user, device, cursor::float8 AS cursor FROM device'),
    receipts: await postgres.query(
      `SELECT message_id AS id, user_id AS user,
         ${timeSql('delivered_at')} AS "deliveredAt", ${timeSql('read_at')} AS "readAt"
       FROM receipt`,
    ),
  };
}

function timeSql(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
