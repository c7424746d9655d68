import type { JsonObject } from '@posthorn/protocol';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A message, immutable once committed. */
@Entity({ name: 'message' })
export class MessageEntity {
  /** UUIDv7, made by send-api. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'text', collation: 'C' })
  sender!: string;

  /** Everybody it went to, in the order of the request, each once. */
  @Column({ type: 'text', array: true, collation: 'C' })
  recipients!: string[];

  @Column('text', { nullable: true })
  text!: string | null;

  /** `json`, not `jsonb`: comes back with its keys in the order in which they were sent. */
  @Column('json', { nullable: true })
  data!: JsonObject | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;
}
