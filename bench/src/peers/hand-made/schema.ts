/** A message for each recipient, and when it was delivered. */
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

/** Messages that were acknowledged. */
export const HAND_MADE_RECEIPTS =
  'SELECT count(*)::int AS count FROM messages WHERE delivered_at IS NOT NULL';
