import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One position of a user's inbox: 1, 2, 3 … without a gap. Its key is a key of each partition, not of the table as a
 * whole, which TypeORM knows no word for.
 */
@Entity({ name: 'inbox_entry', synchronize: false })
@Check('inbox_entry_seq_check', 'seq > 0')
export class InboxEntryEntity {
  @PrimaryColumn('text', { name: 'user_id', collation: 'C' })
  userId!: string;

  @PrimaryColumn('bigint')
  seq!: string;

  @Column('uuid', { name: 'message_id' })
  messageId!: string;
}
