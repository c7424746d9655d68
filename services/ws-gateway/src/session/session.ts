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
  /** The `traceparent` of its `deliver` span. */
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

/** What a session needs from its gateway. */
export interface SessionHost {
  readonly deliveryWindow: number;
  readonly maxBufferedBytes: number;
  readonly heartbeatMs: number;
  readonly rateLimitFrames: number;
  /** An entry was written to the socket. */
  onSent(session: Session, entry: Entry): void;
  /** A `skipped` frame for these entries was written. */
  onSkipped(session: Session, range: SkippedRange): void;
  /** The session may send entries that it does not have yet. */
  onWant(session: Session): void;
  /** An acknowledgement must be committed: see `ackWanted`. */
  onAck(session: Session): void;
  /** The session is over. Called once. */
  onLeave(session: Session, reason: CloseReason | 'peer'): void;
}

/** The states of a session, in order. */
export type SessionState = 'claiming' | 'draining' | 'live' | 'closed';

/** How many entries are kept that arrive during the claim. The others come from Postgres later. */
const MAX_EARLY = 64;

/**
 * The protocol state of one connection. It knows neither sockets nor stores: it sends through its transport, and asks
 * its host for what it needs.
 * - claiming: presence is announced, the device is not claimed yet. Entries that arrive wait.
 * - draining: `welcome` was sent. The entries that waited at the connect are being sent.
 * - live: all of them were sent (`caughtUp`). Entries are sent as they arrive.
 * - closed: the session no longer counts, and its device is released.
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
  /** When sending last made progress, and the progress of the transport at that time. */
  lastProgressMs: number;
  lastProgress = 0;
  /** True while entries are being fetched for this session. */
  isFetching = false;
  /** True while the offline list may still have missing entries. */
  mayUseList = true;
  /** The highest `seq` that the device acknowledged here, and the highest that is committed. */
  ackWanted = 0;
  ackCommitted = 0;
  /** Acknowledgements whose answer waits for their commit, oldest first. The frame limit bounds their number. */
  readonly ackRefs: { seq: number; ref: Ref | undefined }[] = [];
  /** Traced entries that were sent and not acknowledged, oldest first; null if there was none. */
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

  /** The fencing token of the device; null before the claim. */
  get fence(): number | null {
    return this.#fence;
  }

  /** The epoch that this session's `seq` belong to; null before the claim. */
  get epoch(): string | null {
    return this.#epoch;
  }

  get delivery(): Delivery | null {
    return this.#delivery;
  }

  get transport(): Transport | null {
    return this.#transport;
  }

  /** True if a newer connection of the device is known. */
  get isTakenOver(): boolean {
    const other = this.#takenBy;
    return this.#fence !== null && other !== null && other.epoch === this.#epoch && other.fence > this.#fence;
  }

  /** The device is claimed and the socket is open: sends `welcome`, then what waits. */
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

  /** An entry of the user's inbox arrived, from any source. Entries of another epoch are dropped. */
  arrive(entry: Entry): void {
    if (this.#delivery === null) {
      if (this.#early.length < MAX_EARLY) this.#early.push(entry);
      else this.learn(entry.seq, entry.epoch);
      return;
    }
    if (entry.epoch === this.#epoch) this.#delivery.arrive(entry);
  }

  /** Postgres reported that these entries of the inbox were deleted. */
  skip(range: SkippedRange): void {
    this.#delivery?.skip(range);
  }

  /** In this epoch the inbox goes up to at least `newest`. An open session ignores other epochs. */
  learn(newest: number, epoch: string): void {
    if (this.#delivery === null) {
      const known = this.#earlyNewest?.epoch === epoch ? this.#earlyNewest.seq : 0;
      this.#earlyNewest = { seq: Math.max(known, newest), epoch };
    } else if (epoch === this.#epoch) {
      this.#delivery.learn(newest);
    }
  }

  /** Sends everything that may be sent now, in order, and asks for missing entries. */
  pump(): void {
    const [delivery, transport] = [this.#delivery, this.#transport];
    if (delivery === null || transport === null || this.#state === 'closed') return;
    // `next()` counts an entry as sent, and `ack=auto` as acknowledged. So take only what will be written.
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

  /** The device has everything up to `seq`. Returns false if that was not sent on this connection. */
  acknowledge(seq: number, ref: Ref | undefined): boolean {
    if (this.#delivery === null || !this.#delivery.acknowledge(seq)) return false;
    // A client that acknowledges is reading, however long one large write takes.
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

  /** Sends a frame that may be lost. Returns false, and drops it, before `welcome` and while the buffer is full. */
  sendNews(frame: ServerFrame): boolean {
    const transport = this.#transport;
    if (this.#state === 'closed' || transport === null) return false;
    if (transport.bufferedBytes >= this.#host.maxBufferedBytes) return false;
    transport.send(encodeFrame(frame));
    return true;
  }

  /** Answers a frame that was done, if it has a `ref`. */
  ok(ref: Ref | undefined): void {
    if (ref !== undefined) this.send({ type: 'ok', ref });
  }

  /** Answers a frame that was not done. It does not count as a bad frame. */
  fail(code: FrameErrorCode, detail: string, ref: Ref | undefined): void {
    this.send({ type: 'error', ...(ref === undefined ? {} : { ref }), code, detail });
  }

  /** Answers a bad frame. `MAX_BAD_FRAMES` in a row end the connection (PROTOCOL §5.4). */
  refuse(code: FrameErrorCode, detail: string, ref: Ref | undefined): void {
    this.fail(code, detail, ref);
    this.#badFrames++;
    if (this.#badFrames >= MAX_BAD_FRAMES) this.close('policyViolation');
  }

  /** A token arrived in a frame. Returns its number, because a later token may be verified first. */
  offerToken(): number {
    return ++this.#tokensOffered;
  }

  /** The token with this number is valid. It is ignored if a later one has been taken already. */
  takeToken(number: number, expiresAtMs: number): void {
    if (number < this.#tokenTaken) return;
    this.#tokenTaken = number;
    this.tokenExpiresAtMs = expiresAtMs;
  }

  /** A frame was good: the count of bad frames in a row starts again. */
  forgiveBadFrames(): void {
    this.#badFrames = 0;
  }

  /** The peer sent something, which counts against its frame limit. Returns false if the session is closed. */
  hear(nowMs: number): boolean {
    this.lastHeardMs = nowMs;
    if (this.#state === 'closed') return false;
    if (this.#frames.take(nowMs)) return true;
    this.close('tooManyFrames');
    return false;
  }

  /**
   * Another connection of the device has the fencing token `fence`. The connection with the higher token lives on.
   * Tokens of another epoch are ignored, because the same tokens are given out again after a restore.
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

  /** The socket is gone, or was never opened. */
  end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#host.onLeave(this, 'peer');
  }

  /** Asks the host even if `seq` was wanted before: that commit may have failed, and the client asks again. */
  #wantAck(seq: number): void {
    this.ackWanted = Math.max(this.ackWanted, seq);
    this.#host.onAck(this);
  }
}
