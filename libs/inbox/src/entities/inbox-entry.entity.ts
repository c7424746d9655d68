import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One position of a user's inbox: 1, 2, 3 … without a gap. */
@Entity({ name: 'inbox_entry' })
@Check('inbox_entry_seq_check', 'seq > 0')
export class InboxEntryEntity {
  @PrimaryColumn('text', { name: 'user_id', collation: 'C' })
  userId!: string;

  @PrimaryColumn('bigint')
  seq!: string;

  @Column('uuid', { name: 'message_id' })
  messageId!: string;
}
