import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One position of a user's inbox: 1, 2, 3 … without a gap. Each partition has the primary key, the whole table has
 * none. TypeORM cannot describe that.
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
