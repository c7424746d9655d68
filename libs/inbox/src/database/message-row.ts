import type { JsonObject, Message, StoredMessage } from '@posthorn/protocol';

/** The columns of a message as the hot statements select them. */
export interface MessageRow {
  id: string;
  sender: string;
  recipients: string[] | null;
  text: string | null;
  data: JsonObject | null;
  created_at: string;
}

/**
 * SQL for the time of the transaction in milliseconds, the precision of all times that we store and show. Because it is
 * a subquery, Postgres computes it once for a statement and not for each row.
 */
export const nowSql = `(SELECT date_trunc('milliseconds', now()))`;

/** SQL for the same time as RFC 3339 text. */
export const nowTextSql = `(SELECT ${timeSql("date_trunc('milliseconds', now())")})`;

/** SQL for a time as RFC 3339 text with milliseconds. Postgres formats it, so our own time zone plays no part. */
export function timeSql(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** The columns of a `MessageRow`, from a table with the alias `m`. */
export const messageColumns = `m.id, m.sender, m.recipients, m.text, m.data, ${timeSql('m.created_at')} AS created_at`;

/** The message with its fields in the order in which clients see them. Fields that the sender left out are absent. */
export function messageFromRow(row: MessageRow): Message {
  return {
    id: row.id,
    from: row.sender,
    ...(row.recipients === null ? {} : { to: row.recipients }),
    ...(row.text === null ? {} : { text: row.text }),
    ...(row.data === null ? {} : { data: row.data }),
    createdAt: row.created_at,
  };
}

/** The message with its recipients, for a row that was selected with them. */
export function storedMessageFromRow(row: MessageRow): StoredMessage {
  return { ...messageFromRow(row), to: row.recipients ?? [] };
}
