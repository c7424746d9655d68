import { randomUUID } from 'node:crypto';
import {
  type CloseReason,
  encodeFrame,
  encodeMessageFrame,
  type FrameErrorCode,
  MAX_BAD_FRAMES,
  type Ref,
  type ServerFrame,
} from '@posthorn/protocol';
import { Delivery, type Entry, type SkippedRange } from './delivery';
import { FrameBudget } from './frame-budget';
import type { Transport } from './transport';

/** What a connection asked for. */
export interface SessionRequest {
  user: string;
  device: string;
  /** Counts a message as acknowledged once it is written. */
  isAutoAck: boolean;
  tokenExpiresAtMs: number;
}

/** An entry that was sent and belongs to a trace. */
export interface TracedEntry {
  seq: number;
  messageId: string;
  /** The `traceparent` of its delivery. */
  context: string;
  sentAtMs: number;
}

/** Where a session starts, once its device is claimed. */
export interface SessionStart {
  after: number;
  cursor: number;
  newestSeq: number;
  fence: number;
  epoch: string;
  isReset: boolean;
}

/** What a session asks of its gateway. */
export interface SessionHost {
  readonly deliveryWindow: number;
  readonly maxBufferedBytes: number;
  readonly heartbeatMs: number;
  readonly rateLimitFrames: number;
  /** An entry was written to the socket. */
  onSent(session: Session, entry: Entry): void;
  /** It was written that these are not kept any more. */
  onSkipped(session: Session, range: SkippedRange): void;
  /** Entries are missing that may be sent. */
  onWant(session: Session): void;
  /** Something is to be committed: see `ackWanted`. */
  onAck(session: Session): void;
  /** The session is over; called once. */
  onLeave(session: Session, reason: CloseReason | 'peer'): void;
}

/** The states of a session, in order. */
export type SessionState = 'claiming' | 'draining' | 'live' | 'closed';

/** Entries that come while the device is being claimed are kept up to this many; the others stay in Postgres. */
const MAX_EARLY = 64;

/**
 * One connection's protocol state. It knows neither sockets nor stores: what it sends goes to its transport,
 * what it needs it asks of its host.
 * claiming: presence is announced, the device not yet claimed; what arrives waits.
 * draining: welcomed; what waited at the connect is sent. live: all of that was sent (caughtUp).
 */
export class Session {
  readonly id = randomUUID();
  readonly user: string;
  readonly device: string;
  readonly isAutoAck: boolean;
  tokenExpiresAtMs: number;
  readonly openedAtMs: number;
  /** When the peer was last heard. */
  lastHeardMs: number;
  lastPingMs: number;
  /** When sending last made progress, and how much had left by then. */
  lastProgressMs: number;
  lastProgress = 0;
  /** True while entries are being fetched for this session. */
  isFetching = false;
  /** True while the offline list may still have what is missing. */
  mayUseList = true;
  /** The highest `seq` that the device acknowledged here, and the highest that is committed. */
  ackWanted = 0;
  ackCommitted = 0;
  /** Acknowledgements that wait for their commit to be answered, oldest first; the frame limit bounds them. */
  readonly ackRefs: { seq: number; ref: Ref | undefined }[] = [];
  /** Sent, traced and not acknowledged, oldest first; null where there was none. */
  traced: TracedEntry[] | null = null;
  readonly #host: SessionHost;
  readonly #frames: FrameBudget;
  #state: SessionState = 'claiming';
  #transport: Transport | null = null;
  #delivery: Delivery | null = null;
  #early: Entry[] = [];
  #earlyNewest: { seq: number; epoch: string } | null = null;
  #caughtUpAt = 0;
  #fence: number | null = null;
  #epoch: string | null = null;
  #takenBy: { fence: number; epoch: string } | null = null;
  #badFrames = 0;
  #tokensOffered = 0;
  #tokenTaken = 0;

  constructor(request: SessionRequest, host: SessionHost, nowMs: number) {
    this.user = request.user;
    this.device = request.device;
    this.isAutoAck = request.isAutoAck;
    this.tokenExpiresAtMs = request.tokenExpiresAtMs;
    this.openedAtMs = nowMs;
    this.lastHeardMs = nowMs;
    this.lastPingMs = nowMs;
    this.lastProgressMs = nowMs;
    this.#host = host;
    this.#frames = new FrameBudget(host.rateLimitFrames);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The fencing token of the device, once it is claimed. */
  get fence(): number | null {
    return this.#fence;
  }

  /** The life of the inboxes that this session's `seq` belong to, once the device is claimed. */
  get epoch(): string | null {
    return this.#epoch;
  }

  get delivery(): Delivery | null {
    return this.#delivery;
  }

  get transport(): Transport | null {
    return this.#transport;
  }

  /** True when a newer connection of the device is known, however that was learnt. */
  get isTakenOver(): boolean {
    const other = this.#takenBy;
    return this.#fence !== null && other !== null && other.epoch === this.#epoch && other.fence > this.#fence;
  }

  /** The socket is open and the device claimed: welcomes the client and sends what waits. */
  open(transport: Transport, start: SessionStart): void {
    this.#transport = transport;
    this.#fence = start.fence;
    this.#epoch = start.epoch;
    this.ackWanted = start.cursor;
    this.ackCommitted = start.cursor;
    const early = this.#earlyNewest?.epoch === start.epoch ? this.#earlyNewest.seq : 0;
    const newest = Math.max(start.newestSeq, early);
    this.#delivery = new Delivery({ after: start.after, newest, window: this.#host.deliveryWindow });
    this.#caughtUpAt = start.newestSeq;
    this.#state = 'draining';
    this.send({
      type: 'welcome',
      user: this.user,
      device: this.device,
      session: this.id,
      epoch: start.epoch,
      after: start.after,
      lastSeq: start.newestSeq,
      heartbeatMs: this.#host.heartbeatMs,
      ...(start.isReset ? { reset: true } : {}),
    });
    for (const entry of this.#early) this.arrive(entry);
    this.#early = [];
    this.pump();
  }

  /** An entry of the user's inbox came from anywhere. One of another epoch is none of this inbox. */
  arrive(entry: Entry): void {
    if (this.#delivery === null) {
      if (this.#early.length < MAX_EARLY) this.#early.push(entry);
      else this.learn(entry.seq, entry.epoch);
      return;
    }
    if (entry.epoch === this.#epoch) this.#delivery.arrive(entry);
  }

  /** Postgres does not have these entries of the session's inbox any more. */
  skip(range: SkippedRange): void {
    this.#delivery?.skip(range);
  }

  /** In this epoch the inbox goes up to `newest` at least. Of another epoch it says nothing of this inbox. */
  learn(newest: number, epoch: string): void {
    if (this.#delivery === null) {
      const known = this.#earlyNewest?.epoch === epoch ? this.#earlyNewest.seq : 0;
      this.#earlyNewest = { seq: Math.max(known, newest), epoch };
    } else if (epoch === this.#epoch) {
      this.#delivery.learn(newest);
    }
  }

  /** Sends whatever may be sent now, in order, and asks for what is missing. */
  pump(): void {
    const [delivery, transport] = [this.#delivery, this.#transport];
    if (delivery === null || transport === null || this.#state === 'closed') return;
    // What is taken out here counts as sent, and with ack=auto as acknowledged: only what will be written may be.
    if (!transport.isOpen) return;
    const sentBefore = delivery.sent;
    while (transport.isOpen && transport.bufferedBytes < this.#host.maxBufferedBytes) {
      const next = delivery.next();
      if (next === null) break;
      if ('seq' in next) {
        transport.send(encodeMessageFrame(next.seq, next.messageJson, next.isIncomplete));
        this.#host.onSent(this, next);
      } else {
        this.send({ type: 'skipped', from: next.from, to: next.to });
        this.#host.onSkipped(this, next);
      }
      if (this.isAutoAck) delivery.acknowledge(delivery.sent);
    }
    if (this.isAutoAck && delivery.sent > sentBefore) this.#wantAck(delivery.sent);
    if (this.#state === 'draining' && delivery.sent >= this.#caughtUpAt) {
      this.#state = 'live';
      this.send({ type: 'caughtUp', seq: delivery.sent });
    }
    if (transport.bufferedBytes < this.#host.maxBufferedBytes && delivery.want() !== null)
      this.#host.onWant(this);
  }

  /** The device has everything through `seq`; false when that was not sent on this connection. */
  acknowledge(seq: number, ref: Ref | undefined): boolean {
    if (this.#delivery === null || !this.#delivery.acknowledge(seq)) return false;
    // Whoever acknowledges reads, however long one large write takes.
    this.lastProgressMs = this.lastHeardMs;
    if (seq <= this.ackCommitted) {
      this.ok(ref);
    } else {
      this.ackRefs.push({ seq, ref });
      this.#wantAck(seq);
    }
    this.pump();
    return true;
  }

  send(frame: ServerFrame): void {
    if (this.#state !== 'closed') this.#transport?.send(encodeFrame(frame));
  }

  /** Sends what may be lost: false, and nothing is sent, while the connection is too far behind or not welcomed. */
  sendNews(frame: ServerFrame): boolean {
    const transport = this.#transport;
    if (this.#state === 'closed' || transport === null) return false;
    if (transport.bufferedBytes >= this.#host.maxBufferedBytes) return false;
    transport.send(encodeFrame(frame));
    return true;
  }

  /** Answers a frame that was done, if it carried a ref. */
  ok(ref: Ref | undefined): void {
    if (ref !== undefined) this.send({ type: 'ok', ref });
  }

  /** Answers a frame that was not done through no fault of the client's. */
  fail(code: FrameErrorCode, detail: string, ref: Ref | undefined): void {
    this.send({ type: 'error', ...(ref === undefined ? {} : { ref }), code, detail });
  }

  /** Answers a bad frame; too many in a row end the connection. */
  refuse(code: FrameErrorCode, detail: string, ref: Ref | undefined): void {
    this.fail(code, detail, ref);
    this.#badFrames++;
    if (this.#badFrames >= MAX_BAD_FRAMES) this.close('policyViolation');
  }

  /** A token came in a frame; returns its number, since verifying one may take longer than the next. */
  offerToken(): number {
    return ++this.#tokensOffered;
  }

  /** The token of this number is good. One that came later and was taken already counts in its place. */
  takeToken(number: number, expiresAtMs: number): void {
    if (number < this.#tokenTaken) return;
    this.#tokenTaken = number;
    this.tokenExpiresAtMs = expiresAtMs;
  }

  /** A frame was good: the bad ones before it are forgotten. */
  forgiveBadFrames(): void {
    this.#badFrames = 0;
  }

  /** Something of the peer's came, which counts against its limit; false when the connection was ended for it. */
  hear(nowMs: number): boolean {
    this.lastHeardMs = nowMs;
    if (this.#state === 'closed') return false;
    if (this.#frames.take(nowMs)) return true;
    this.close('tooManyFrames');
    return false;
  }

  /**
   * A connection of the same device with `fence` exists: the one with the higher token lives on. Tokens of another
   * epoch say nothing: a restore gives them out again.
   */
  takeOver(fence: number, epoch: string): void {
    const known = this.#takenBy?.epoch === epoch ? this.#takenBy.fence : 0;
    this.#takenBy = { fence: Math.max(known, fence), epoch };
    if (this.isTakenOver && this.#transport !== null) this.close('takenOver');
  }

  /** Ends the session from our side. */
  close(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#host.onLeave(this, reason);
    this.#transport?.close(reason);
  }

  /** The socket is gone, or never came to be. */
  end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#host.onLeave(this, 'peer');
  }

  /** Also for what is wanted already: its commit may have failed, and the client asks again. */
  #wantAck(seq: number): void {
    this.ackWanted = Math.max(this.ackWanted, seq);
    this.#host.onAck(this);
  }
}
