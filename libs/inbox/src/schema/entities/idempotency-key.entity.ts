import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The message that was committed for an Idempotency-Key of a sender. */
@Entity({ name: 'idempotency_key' })
@Index('idempotency_key_created_at', ['createdAt'])
export class IdempotencyKeyEntity {
  @PrimaryColumn('text', { collation: 'C' })
  sender!: string;

  @PrimaryColumn('text', { collation: 'C' })
  key!: string;

  /** SHA-256 of the request body's canonical JSON. */
  @Column('bytea', { name: 'body_hash' })
  bodyHash!: Buffer;

  @Column('uuid', { name: 'message_id' })
  messageId!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
