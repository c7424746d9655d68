import type { JsonObject } from '@posthorn/protocol';
import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** A message, immutable once committed. */
@Entity({ name: 'message' })
@Check(
  'message_id_time_check',
  `abs(('x0000' || translate(left(id::text, 13), '-', ''))::bit(64)::bigint - extract(epoch FROM created_at) * 1000) < 86400000`,
)
export class MessageEntity {
  /** UUIDv7, made by send-api. Its time decides the partition. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'text', collation: 'C' })
  sender!: string;

  /** Every recipient once, in the order of the request. */
  @Column({ type: 'text', array: true, collation: 'C' })
  recipients!: string[];

  @Column('text', { nullable: true })
  text!: string | null;

  /** `json` and not `jsonb`, so that the keys keep the order in which they were sent. */
  @Column('json', { nullable: true })
  data!: JsonObject | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;
}
