import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema. User ids are compared as bytes (`COLLATE "C"`), so that locks are taken in the order
 * in which the services sort. There are no foreign keys. Rows that refer to each other are written in
 * one statement and never deleted alone, and checking a row would cost more than writing it.
 * Tables whose rows are updated (counters, cursors, receipts) leave free space on each page (`fillfactor`).
 */
export class CreateInbox1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE epoch (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        epoch text NOT NULL,
        since timestamptz NOT NULL DEFAULT now()
      );
      INSERT INTO epoch (epoch) VALUES (gen_random_uuid()::text);

      CREATE TABLE message (
        id uuid PRIMARY KEY,
        sender text COLLATE "C" NOT NULL,
        recipients text[] COLLATE "C" NOT NULL,
        text text,
        data json,
        created_at timestamptz(3) NOT NULL
      );

      CREATE TABLE inbox (
        user_id text COLLATE "C" PRIMARY KEY,
        newest_seq bigint NOT NULL CHECK (newest_seq > 0)
      ) WITH (fillfactor = 50);

      CREATE TABLE inbox_entry (
        user_id text COLLATE "C",
        seq bigint CHECK (seq > 0),
        message_id uuid NOT NULL,
        PRIMARY KEY (user_id, seq)
      );

      CREATE TABLE device (
        user_id text COLLATE "C",
        device text COLLATE "C",
        cursor bigint NOT NULL DEFAULT 0 CHECK (cursor >= 0),
        fence bigint NOT NULL DEFAULT 1,
        gateway text,
        connected_at timestamptz,
        last_seen_at timestamptz(3),
        PRIMARY KEY (user_id, device)
      ) WITH (fillfactor = 50);

      CREATE TABLE receipt (
        message_id uuid,
        user_id text COLLATE "C",
        delivered_at timestamptz(3) NOT NULL,
        read_at timestamptz(3),
        PRIMARY KEY (message_id, user_id)
      ) WITH (fillfactor = 80);

      CREATE TABLE idempotency_key (
        sender text COLLATE "C",
        key text COLLATE "C",
        body_hash bytea NOT NULL,
        message_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (sender, key)
      );
      CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_key, receipt, device, inbox_entry, inbox, message, epoch');
  }
}
