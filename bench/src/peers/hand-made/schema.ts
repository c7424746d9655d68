/** One row for each recipient of a message, with the time of delivery. */
export const HAND_MADE_SCHEMA = `
  CREATE TABLE messages (
    id uuid PRIMARY KEY,
    sender text NOT NULL,
    recipient text NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz
  );
  CREATE INDEX messages_recipient ON messages (recipient, created_at);`;

/** Counts acknowledged messages. */
export const HAND_MADE_RECEIPTS =
  'SELECT count(*)::int AS count FROM messages WHERE delivered_at IS NOT NULL';
