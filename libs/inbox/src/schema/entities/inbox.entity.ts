import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The counter of one user's inbox. Its row lock makes the order of `seq` the order of commits. */
@Entity({ name: 'inbox' })
@Check('inbox_newest_seq_check', 'newest_seq > 0')
export class InboxEntity {
  @PrimaryColumn('text', { name: 'user_id', collation: 'C' })
  userId!: string;

  @Column('bigint', { name: 'newest_seq' })
  newestSeq!: string;
}
