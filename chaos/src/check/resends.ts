import type { EventOf } from '../history/event-of';
import type { Connection } from './device-log';
import type { HistoryIndex } from './index-history';

/** What came to a device that had come to it before, or that it did not want any more. */
export interface Resends {
  /**
   * Message frames that the device had acknowledged on an earlier connection, in vain: the cursor had not moved so far.
   * What a device never acknowledged is sent again by its own choice, and does not count.
   */
  again: number;
  /** Those at or below it. */
  below: { connection: Connection; message: EventOf<'ok', 'message'> }[];
}

/** Delivery begins above what the device acknowledged and was told so, or above the `after` it asked for. */
export function findResends({ devices }: HistoryIndex): Resends {
  const resends: Resends = { again: 0, below: [] };
  for (const device of devices.byName.values()) {
    let said = 0;
    for (const connection of device.connections) {
      const floor = connection.startsWhereAsked ? (connection.connect?.v.after ?? 0) : connection.floor;
      for (const message of connection.messages) {
        const { seq } = message.v;
        if (seq <= floor) resends.below.push({ connection, message });
        else if (seq <= said) resends.again++;
      }
      for (const { v } of connection.acks) said = Math.max(said, v.seq);
    }
  }
  return resends;
}
