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
 * The time of the transaction, in the precision in which times are kept and shown. In a SELECT of its own it is made once
 * for a statement, not for each of its rows.
 */
export const nowSql = `(SELECT date_trunc('milliseconds', now()))`;

/** The same as RFC 3339. */
export const nowTextSql = `(SELECT ${timeSql("date_trunc('milliseconds', now())")})`;

/** RFC 3339 with milliseconds, made by Postgres so that no time zone of ours gets in between. */
export function timeSql(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** The columns for a `MessageRow` of alias `m`. */
export const messageColumns = `m.id, m.sender, m.recipients, m.text, m.data, ${timeSql('m.created_at')} AS created_at`;

/** The message with its fields in the order in which clients see them; what was not given is absent. */
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

/** The same for a row that was selected with its recipients. */
export function storedMessageFromRow(row: MessageRow): StoredMessage {
  return { ...messageFromRow(row), to: row.recipients ?? [] };
}
