/** One row per message, whatever the number of recipients. */
export const SOCKET_IO_SCHEMA = `
  CREATE TABLE messages (
    id uuid PRIMARY KEY,
    sender text NOT NULL,
    recipients text[] NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );`;
