import { asSeenBy, type Message, type StoredMessage } from '@posthorn/protocol';

/** A committed message on its way to its recipients. */
export interface RoutableMessage {
  message: StoredMessage;
  epoch: string;
  entries: readonly { user: string; seq: number }[];
  /** The `traceparent` of its delivery, when tracing is on. */
  trace?: string;
}

/**
 * An entry of an offline list. Without `message` it only says that the entry exists, and the reader fetches it from
 * Postgres.
 */
export interface ListedEntry {
  seq: number;
  epoch: string;
  message?: Message;
  trace?: string;
}

/** One message for several users of a gateway. Without `message` it only says that the entries exist. */
export interface EntriesItem {
  epoch: string;
  to: [user: string, seq: number][];
  message?: Message;
  trace?: string;
}

/**
 * A message with more characters of JSON is left out of the envelope: Redis buffers little for a stalled subscriber.
 */
const MAX_INLINE_CHARS = 4_096;

/**
 * A message in two forms: as its sender and as its other recipients see it. Each form is encoded once for all of them.
 */
export class Envelope {
  readonly #routable: RoutableMessage;
  readonly #json = new Map<boolean, string>();

  constructor(routable: RoutableMessage) {
    this.#routable = routable;
  }

  get epoch(): string {
    return this.#routable.epoch;
  }

  get entries(): RoutableMessage['entries'] {
    return this.#routable.entries;
  }

  get trace(): string | undefined {
    return this.#routable.trace;
  }

  /** The message as `user` sees it; undefined when it is too large for an envelope. */
  messageFor(user: string): Message | undefined {
    return this.#jsonFor(user) === '' ? undefined : asSeenBy(user, this.#routable.message);
  }

  /** True when `user` gets the form of the sender. */
  isSender(user: string): boolean {
    return user === this.#routable.message.from;
  }

  /** The entry as JSON text for the offline list of `user`. */
  listedEntry(user: string, seq: number): string {
    const trace = this.trace === undefined ? '' : `,"trace":${JSON.stringify(this.trace)}`;
    const head = `{"seq":${seq},"epoch":${JSON.stringify(this.epoch)}${trace}`;
    const message = this.#jsonFor(user);
    return message === '' ? `${head}}` : `${head},"message":${message}}`;
  }

  #jsonFor(user: string): string {
    const isSender = this.isSender(user);
    let json = this.#json.get(isSender);
    if (json === undefined) {
      json = JSON.stringify(asSeenBy(user, this.#routable.message));
      if (json.length > MAX_INLINE_CHARS) json = '';
      this.#json.set(isSender, json);
    }
    return json;
  }
}
