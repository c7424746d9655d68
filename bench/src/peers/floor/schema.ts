/** One row per message, and an entry for each recipient. No counters, cursors, receipts or keys. */
export const FLOOR_SCHEMA = `
  CREATE TABLE messages (
    id bigint PRIMARY KEY,
    sender text NOT NULL,
    text text NOT NULL
  );
  CREATE TABLE entries (
    recipient text,
    message_id bigint,
    PRIMARY KEY (recipient, message_id)
  );`;
