import type { EventOf } from '../history/event-of';
import type { Connection } from './device-log';
import type { HistoryIndex } from './index-history';

/** Messages that came to a device again, or that it did not want any more. */
export interface Resends {
  /**
   * Message frames that the device had acknowledged on an earlier connection, although the cursor had not moved so
   * far. Messages that a device never acknowledged come again by its own choice and do not count.
   */
  again: number;
  /** Message frames below the place where delivery should have started. */
  below: { connection: Connection; message: EventOf<'ok', 'message'> }[];
}

/** Delivery starts above the device's acknowledgement that was answered, or above the `after` that it asked for. */
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
