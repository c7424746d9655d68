import type { EventOf } from '../history/event-of';
import type { StoreState } from '../history/history';

type SendEnd = EventOf<'ok' | 'fail' | 'info', 'send'>;

/** One request to send, and how it ended. Null means that it has not ended, which counts as unknown. */
export interface Attempt {
  send: Send;
  begun: EventOf<'invoke', 'send'>;
  end: SendEnd | null;
}

/** A message that a sender wants to send: all attempts with one key. */
export class Send {
  readonly key: string;
  readonly from: string;
  readonly to: ReadonlySet<string>;
  readonly h: string;
  /** Attempts with the key's own body, in order. */
  readonly attempts: Attempt[] = [];
  /** Attempts with another body under the same key. */
  readonly twists: Attempt[] = [];
  readonly oks: EventOf<'ok', 'send'>[] = [];

  constructor({ v }: EventOf<'invoke', 'send'>) {
    this.key = v.key;
    this.from = v.from;
    this.to = new Set(v.to);
    this.h = v.h;
  }

  /** The first 200 or 201. */
  get acknowledged(): EventOf<'ok', 'send'> | null {
    return this.oks[0] ?? null;
  }

  /** The place in the history where it began. */
  get begunAt(): number {
    return this.attempts[0]?.begun.i ?? Number.POSITIVE_INFINITY;
  }

  /**
   * One ok means acknowledged. Refused means that every attempt was refused. In all other cases it may have happened
   * or not.
   */
  get outcome(): 'acknowledged' | 'refused' | 'unknown' {
    if (this.oks.length > 0) return 'acknowledged';
    return this.attempts.every(({ end }) => end?.type === 'fail') ? 'refused' : 'unknown';
  }
}

type StoredMessage = StoreState['messages'][number];

/** All sends of a history, by key, by message id and by content. */
export class SendLog {
  readonly byKey = new Map<string, Send>();
  readonly attempts: Attempt[] = [];
  /** Events that a correct harness would not write. */
  readonly oddities: string[] = [];
  readonly #open = new Map<string, Attempt>();
  readonly #byId = new Map<string, Send>();
  readonly #byHash = new Map<string, Send>();

  take(event: EventOf<'invoke' | 'ok' | 'fail' | 'info', 'send'>): void {
    if (event.type === 'invoke') this.#begin(event);
    else this.#end(event);
  }

  /** Finds the send of each row in the store: by its sender's key, or by its text, which is unique. */
  attribute(rows: readonly StoredMessage[]): void {
    for (const row of rows) {
      const send = this.#ofRow(row);
      if (send !== undefined && !this.#byId.has(row.id)) this.#byId.set(row.id, send);
    }
  }

  /** The send that made this message. */
  ofId(id: string): Send | undefined {
    return this.#byId.get(id);
  }

  /** The send that made this message. It is found by content if the sender never got its id. */
  ofMessage({ id, h }: { id: string; h: string }): Send | undefined {
    return this.#byId.get(id) ?? this.#byHash.get(h);
  }

  #ofRow({ sender, key, h }: StoredMessage): Send | undefined {
    const named = key === null ? undefined : this.byKey.get(key);
    return named?.from === sender ? named : this.#byHash.get(h);
  }

  #begin(event: EventOf<'invoke', 'send'>): void {
    const isTwist = event.v.twist === true;
    let send = this.byKey.get(event.v.key);
    if (send === undefined) {
      send = new Send(event);
      this.byKey.set(send.key, send);
      this.#byHash.set(send.h, send);
      if (isTwist) this.oddities.push(`event ${event.i} twists a key that was not used before`);
    }
    const attempt: Attempt = { send, begun: event, end: null };
    this.attempts.push(attempt);
    (isTwist ? send.twists : send.attempts).push(attempt);
    this.#open.set(event.p, attempt);
  }

  #end(event: SendEnd): void {
    const attempt = this.#open.get(event.p);
    if (attempt === undefined || attempt.send.key !== event.v.key) {
      this.oddities.push(`event ${event.i} ends a send that ${event.p} did not begin`);
      return;
    }
    this.#open.delete(event.p);
    attempt.end = event;
    if (event.type !== 'ok') return;
    const { send } = attempt;
    if (attempt.begun.v.twist !== true) send.oks.push(event);
    if (!this.#byId.has(event.v.id)) this.#byId.set(event.v.id, send);
  }
}
