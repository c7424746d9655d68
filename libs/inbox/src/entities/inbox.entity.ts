import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The counter of one user's inbox. Its row lock makes the order of `seq` the order of commits. */
@Entity({ name: 'inbox' })
export class InboxEntity {
  @PrimaryColumn('text', { name: 'user_id' })
  userId!: string;

  @Column('bigint', { name: 'newest_seq' })
  newestSeq!: string;
}
