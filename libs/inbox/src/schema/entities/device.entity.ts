import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** A user's named endpoint and its cursor. */
@Entity({ name: 'device' })
@Check('device_cursor_check', 'cursor >= 0')
export class DeviceEntity {
  @PrimaryColumn('text', { name: 'user_id', collation: 'C' })
  userId!: string;

  @PrimaryColumn('text', { collation: 'C' })
  device!: string;

  /** The highest `seq` that the device acknowledged. */
  @Column('bigint', { default: 0 })
  cursor!: string;

  /** Fencing token: it rises with each claim of the device. Writes under an older token are refused. */
  @Column('bigint', { default: 1 })
  fence!: string;

  /** The gateway that holds the device's connection; null once the connection has ended. */
  @Column('text', { nullable: true })
  gateway!: string | null;

  @Column('timestamptz', { name: 'connected_at', nullable: true })
  connectedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_seen_at', precision: 3, nullable: true })
  lastSeenAt!: Date | null;
}
