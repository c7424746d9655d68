import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a sender learns about one recipient of a message. Without a row, the message is not delivered yet. */
@Entity({ name: 'receipt' })
export class ReceiptEntity {
  @PrimaryColumn('uuid', { name: 'message_id' })
  messageId!: string;

  @PrimaryColumn('text', { name: 'user_id', collation: 'C' })
  userId!: string;

  @Column({ type: 'timestamptz', name: 'delivered_at', precision: 3 })
  deliveredAt!: Date;

  @Column({ type: 'timestamptz', name: 'read_at', precision: 3, nullable: true })
  readAt!: Date | null;
}
