import type { StoreState } from '../history/history';
import type { DeviceLog } from './device-log';
import type { Send, SendLog } from './send-log';

/** A message's position in an inbox. */
export interface Place {
  seq: number;
  id: string;
  send: Send;
}

/** The inboxes as in the store. Deliveries add the places that the store lacks. */
export class InboxLog {
  readonly #places = new Map<string, Map<string, number>>();
  readonly #sorted = new Map<string, Place[]>();
  readonly #sends: SendLog;

  constructor(store: StoreState | null, devices: DeviceLog, sends: SendLog) {
    this.#sends = sends;
    for (const { user, seq, id } of store?.entries ?? []) this.#put(user, seq, id);
    for (const { device, messages } of devices.connections) {
      for (const { v } of messages)
        if (sends.ofId(v.id)?.to.has(device.user)) this.#put(device.user, v.seq, v.id);
    }
  }

  /** The position of a message in a user's inbox, if it is known. */
  seqOf(user: string, id: string): number | undefined {
    return this.#places.get(user)?.get(id);
  }

  /** All known positions of an inbox whose messages are known, by `seq`. */
  of(user: string): readonly Place[] {
    let places = this.#sorted.get(user);
    if (places === undefined) {
      places = [];
      for (const [id, seq] of this.#places.get(user) ?? []) {
        const send = this.#sends.ofId(id);
        if (send !== undefined) places.push({ seq, id, send });
      }
      places.sort((a, b) => a.seq - b.seq);
      this.#sorted.set(user, places);
    }
    return places;
  }

  users(): IterableIterator<string> {
    return this.#places.keys();
  }

  #put(user: string, seq: number, id: string): void {
    let inbox = this.#places.get(user);
    if (inbox === undefined) {
      inbox = new Map();
      this.#places.set(user, inbox);
    }
    if (!inbox.has(id)) inbox.set(id, seq);
  }
}
