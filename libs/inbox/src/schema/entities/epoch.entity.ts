import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The current life of the inboxes. The only row changes after a restore from a backup. */
@Entity({ name: 'epoch' })
@Check('epoch_only_row_check', 'only_row')
export class EpochEntity {
  @PrimaryColumn('boolean', { name: 'only_row', default: true })
  onlyRow!: boolean;

  @Column('text')
  epoch!: string;

  @Column('timestamptz', { default: () => 'now()' })
  since!: Date;
}
