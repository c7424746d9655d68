import type { Socket } from 'node:net';
import { type Direction, type FaultMode, isHole } from './fault-mode';

/** What a lane needs from its connection. */
export interface LaneHost {
  readonly mode: FaultMode;
  /** The bytes that may still pass before the connection is cut. Both directions share it. */
  bytesLeft: number;
  cut(): void;
  readonly counts: { passedBytes: number; swallowedBytes: number; heldBytes: number };
}

/** The most bytes that one direction holds back. At this limit it stops reading. */
const MAX_HELD_BYTES = 1 << 20;
/** A slow line passes its bytes on in pieces of about this duration. */
const PIECE_MS = 50;

/** One direction of a connection. It reads no faster than it can write, so back-pressure passes through it. */
export class FaultLane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #host: LaneHost;
  readonly #held: { bytes: Buffer; dueAt: number }[] = [];
  #heldBytes = 0;
  #lastDueAt = 0;
  #timer: NodeJS.Timeout | null = null;
  /**
   * A stream cannot have holes. After losing bytes, the lane stays silent, as when a router has forgotten the
   * connection.
   */
  #isTorn = false;
  #end: 'none' | 'ended' | 'closed' | 'reset' = 'none';

  constructor(from: Socket, to: Socket, direction: Direction, host: LaneHost) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#host = host;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#finish('ended'));
    from.on('close', (isError) => this.#finish(isError ? 'reset' : 'closed'));
    to.on('drain', () => this.#go());
  }

  /** The mode has changed. */
  adapt(): void {
    if (isHole(this.#host.mode, this.#direction)) {
      if (this.#heldBytes > 0) this.#swallow(this.#heldBytes);
      this.#held.length = 0;
      this.#heldBytes = 0;
    }
    this.#lastDueAt = 0;
    for (const held of this.#held) held.dueAt = this.#dueAt(held.bytes.length);
    this.#go();
  }

  /** Drops the bytes that it holds. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#held.length = 0;
    this.#heldBytes = 0;
  }

  #take(bytes: Buffer): void {
    const { mode } = this.#host;
    if (this.#isTorn || isHole(mode, this.#direction)) {
      this.#swallow(bytes.length);
    } else if (this.#held.length === 0 && !isSlow(mode)) {
      this.#write(bytes);
      this.#flow();
    } else {
      this.#hold(bytes);
      this.#go();
    }
  }

  #swallow(count: number): void {
    this.#isTorn = true;
    this.#host.counts.swallowedBytes += count;
  }

  #hold(bytes: Buffer): void {
    const size = pieceSize(this.#host.mode);
    for (let from = 0; from < bytes.length; from += size) {
      const piece = bytes.subarray(from, from + size);
      this.#held.push({ bytes: piece, dueAt: this.#dueAt(piece.length) });
    }
    this.#heldBytes += bytes.length;
    this.#host.counts.heldBytes += bytes.length;
  }

  /** When bytes that arrive now may be passed on: never before earlier bytes. */
  #dueAt(count: number): number {
    const { mode } = this.#host;
    const now = performance.now();
    let dueAt = Math.max(now, this.#lastDueAt);
    if (typeof mode === 'object' && 'delayMs' in mode) {
      const jitterMs = (2 * Math.random() - 1) * mode.jitterMs;
      dueAt = Math.max(dueAt, now + mode.delayMs + jitterMs);
    } else if (typeof mode === 'object' && 'bytesPerSecond' in mode) {
      dueAt += (count / mode.bytesPerSecond) * 1_000;
    }
    this.#lastDueAt = dueAt;
    return dueAt;
  }

  /** Writes the bytes that are due, as fast as the other side takes them. */
  #go(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const now = performance.now();
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      if (this.#to.writableNeedDrain) break;
      if (next.dueAt > now) {
        this.#timer = setTimeout(() => this.#go(), next.dueAt - now);
        break;
      }
      this.#held.shift();
      this.#heldBytes -= next.bytes.length;
      this.#write(next.bytes);
    }
    this.#flow();
    this.#passEnd();
  }

  #write(bytes: Buffer): void {
    const passing = bytes.subarray(0, this.#host.bytesLeft);
    this.#host.bytesLeft -= passing.length;
    this.#host.counts.passedBytes += passing.length;
    if (this.#to.writable) this.#to.write(passing);
    if (this.#host.bytesLeft <= 0) this.#host.cut();
  }

  #flow(): void {
    const isFull = this.#heldBytes >= MAX_HELD_BYTES || this.#to.writableNeedDrain;
    if (isFull) this.#from.pause();
    else if (this.#from.isPaused()) this.#from.resume();
  }

  #finish(end: 'ended' | 'closed' | 'reset'): void {
    this.#end = end;
    this.#passEnd();
  }

  /** The end of a connection travels like its bytes: after them, and not through a hole. */
  #passEnd(): void {
    const end = this.#end;
    if (end === 'none' || isHole(this.#host.mode, this.#direction)) return;
    if (end !== 'reset' && this.#held.length > 0) return;
    this.#end = 'none';
    // An end cannot follow bytes that were lost, so the other side gets a reset.
    if (end === 'reset' || this.#isTorn) this.#to.resetAndDestroy();
    else if (end === 'closed') this.#to.destroySoon();
    else this.#to.end();
  }
}

function isSlow(mode: FaultMode): boolean {
  return typeof mode === 'object' && !('cutAfterBytes' in mode);
}

function pieceSize(mode: FaultMode): number {
  return typeof mode === 'object' && 'bytesPerSecond' in mode
    ? Math.max(1, Math.floor((mode.bytesPerSecond * PIECE_MS) / 1_000))
    : Number.POSITIVE_INFINITY;
}
