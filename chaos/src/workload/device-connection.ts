import { MAX_READ_IDS, type ServerFrame } from '@posthorn/protocol';
import { WebSocket } from 'ws';
import type { HistoryRecorder } from '../history/recorder';
import type { Random } from '../random';
import type { AckHabit } from './ack-habit';
import { hashOf } from './message-body';

/** What a connection needs. */
export interface DeviceConnectionOptions {
  device: string;
  habit: AckHabit;
  readShare: number;
  token: string;
  recorder: HistoryRecorder;
  random: Random;
  silenceMs: number;
}

const OPEN_WAIT_MS = 7_000;
/** Acknowledgements within this time are sent together, which stays well below the limit of frames. */
const ACK_EVERY_MS = 30;
const MAX_DELAY_MS = 2_000;
const LOST_SHARE = 0.1;
const MAX_UNREAD = 2_000;

/** One connection of a device. It records what it sees, and acknowledges and reads in its device's way. */
export class DeviceConnection {
  /** Resolves when the connection is over, however it ended. */
  readonly closed: Promise<void>;
  closeCode: number | null = null;
  isClosedByServer = false;
  /** From the goodbye, if there was one. */
  reconnectAfterMs: number | null = null;
  /** The highest `seq` received, and the highest whose acknowledgement was answered. */
  lastSeq = 0;
  acked = 0;
  isCaughtUp = false;
  readonly #p: string;
  readonly #options: DeviceConnectionOptions;
  readonly #socket: WebSocket;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #startedAt = performance.now();
  readonly #opened: Promise<boolean>;
  #resolveOpened: (isOpen: boolean) => void = () => undefined;
  #lastHeardAt = performance.now();
  #ackSent = 0;
  #ackDueAt = 0;
  #isOursToClose = false;
  #isOver = false;
  #isWelcomed = false;
  #readCount = 0;
  #refusal: { http?: number; error?: string } = {};
  #unread: string[] = [];
  readonly #reads = new Map<string, string[]>();

  constructor(p: string, gateway: { label: string; url: string }, options: DeviceConnectionOptions) {
    this.#p = p;
    this.#options = options;
    const { device, habit, token, recorder, silenceMs } = options;
    const ack = habit === 'auto' ? 'auto' : 'manual';
    recorder.record(p, { type: 'invoke', f: 'connect', v: { gateway: gateway.label, ack } });
    this.#socket = new WebSocket(`${gateway.url}?device=${device}&ack=${ack}`, ['posthorn.v1'], {
      headers: { Authorization: `Bearer ${token}` },
      handshakeTimeout: OPEN_WAIT_MS,
    });
    this.#opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
    this.#socket.on('message', (data: Buffer) =>
      this.#take(JSON.parse(data.toString('utf8')) as ServerFrame),
    );
    this.#socket.on('ping', () => this.#hear());
    this.#socket.on('pong', () => this.#hear());
    this.#socket.on('error', (error) => {
      this.#refusal.error ??= error.message;
    });
    this.#socket.on('unexpected-response', (_request, response) => {
      const { statusCode } = response;
      if (statusCode !== undefined) this.#refusal.http = statusCode;
      response.resume();
      this.#socket.terminate();
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', (code) => {
        this.#end(code);
        resolve();
      });
    });
    this.#timers.push(
      setInterval(() => this.#acknowledge(), ACK_EVERY_MS),
      setInterval(() => this.#sayRead(), 100),
      setInterval(() => {
        if (performance.now() - this.#lastHeardAt > silenceMs) this.destroy();
      }, 500),
    );
  }

  /** Resolves with true once it is welcomed, and with false if it was refused or broke before. */
  opened(): Promise<boolean> {
    return this.#opened;
  }

  /** Closes the connection normally. */
  async close(): Promise<void> {
    this.#isOursToClose = true;
    this.#socket.close(1000);
    // ws cuts a silent peer only after a long time. Nobody should wait for that.
    const timer = setTimeout(() => this.#socket.terminate(), 2_000);
    await this.closed;
    clearTimeout(timer);
  }

  /** Cuts the connection without a close frame. */
  destroy(): void {
    this.#isOursToClose = true;
    this.#socket.terminate();
  }

  /** Leaves the connection open but silent, like a phone in a tunnel. */
  abandon(): void {
    this.deafen(true);
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Stops reading, or continues. */
  deafen(isDeaf: boolean): void {
    if (this.#isOver) return;
    this.#options.recorder.record(this.#p, { type: 'info', f: 'deaf', v: { isDeaf } });
    if (isDeaf) this.#socket.pause();
    else {
      this.#hear();
      this.#socket.resume();
    }
  }

  #hear(): void {
    this.#lastHeardAt = performance.now();
  }

  #take(frame: ServerFrame): void {
    this.#hear();
    const { recorder } = this.#options;
    const p = this.#p;
    switch (frame.type) {
      case 'welcome': {
        const { after, lastSeq, epoch, session, reset } = frame;
        const ms = performance.now() - this.#startedAt;
        const v = { after, lastSeq, epoch, session, ms, ...(reset === undefined ? {} : { reset }) };
        recorder.record(p, { type: 'ok', f: 'welcome', v });
        this.lastSeq = after;
        this.acked = after;
        this.#ackSent = after;
        this.#isWelcomed = true;
        return this.#resolveOpened(true);
      }
      case 'message': {
        const { id, from, to } = frame.message;
        const v = {
          id,
          seq: frame.seq,
          from,
          h: hashOf(frame.message),
          ...(to === undefined ? {} : { hasTo: true as const }),
        };
        recorder.record(p, { type: 'ok', f: 'message', v });
        this.lastSeq = frame.seq;
        return this.#plan(id);
      }
      case 'skipped':
        return; // no run has a retention, so the check counts these as lost
      case 'caughtUp':
        recorder.record(p, { type: 'ok', f: 'caughtUp', v: { seq: frame.seq } });
        this.isCaughtUp = true;
        return;
      case 'receipt': {
        const { id, user, status, at } = frame;
        return recorder.record(p, { type: 'ok', f: 'receipt', v: { id, user, status, at } });
      }
      case 'ok':
        return this.#answered(frame.ref, null);
      case 'error':
        return this.#answered(frame.ref ?? '', frame.code);
      case 'goodbye':
        this.reconnectAfterMs = frame.reconnectAfterMs;
        return recorder.record(p, {
          type: 'info',
          f: 'goodbye',
          v: { reconnectAfterMs: frame.reconnectAfterMs },
        });
      case 'pong':
        return;
    }
  }

  /** Plans when to acknowledge and whether to read a message, in the device's way. */
  #plan(id: string): void {
    const { habit, random, readShare } = this.#options;
    const now = performance.now();
    if (habit === 'delayed' && this.#ackDueAt < now) this.#ackDueAt = now + random.int(0, MAX_DELAY_MS);
    if (habit === 'every tenth' && this.lastSeq % 10 !== 0) this.#ackDueAt = now + MAX_DELAY_MS / 2;
    if (habit === 'every tenth' && this.lastSeq % 10 === 0) this.#ackDueAt = now;
    if (random.chance(readShare) && this.#unread.length < MAX_UNREAD) this.#unread.push(id);
  }

  #acknowledge(): void {
    const { habit, random, recorder } = this.#options;
    const seq = this.lastSeq;
    if (habit === 'auto' || this.#socket.readyState !== WebSocket.OPEN) return;
    if (seq <= this.#ackSent || performance.now() < this.#ackDueAt) return;
    this.#ackSent = seq;
    // This acknowledgement is lost. The next one covers it, and until then the messages are unacknowledged.
    if (habit === 'lossy' && random.chance(LOST_SHARE)) {
      this.#ackDueAt = performance.now() + MAX_DELAY_MS / 2;
      this.#ackSent = seq - 1;
      return;
    }
    recorder.record(this.#p, { type: 'invoke', f: 'ack', v: { seq } });
    this.#socket.send(JSON.stringify({ type: 'ack', seq, ref: seq }));
  }

  #sayRead(): void {
    if (this.#socket.readyState !== WebSocket.OPEN || this.#unread.length === 0) return;
    const ids = this.#unread.splice(0, MAX_READ_IDS);
    const ref = `read ${this.#readCount++}`;
    this.#reads.set(ref, ids);
    this.#options.recorder.record(this.#p, { type: 'invoke', f: 'read', v: { ids } });
    this.#socket.send(JSON.stringify({ type: 'read', ids, ref }));
  }

  #answered(ref: string | number, error: string | null): void {
    const { recorder } = this.#options;
    const ids = this.#reads.get(String(ref));
    if (ids !== undefined) {
      this.#reads.delete(String(ref));
      if (error === null) return recorder.record(this.#p, { type: 'ok', f: 'read', v: { ids } });
      return recorder.record(this.#p, { type: 'info', f: 'read', v: { ids, error } });
    }
    const seq = Number(ref);
    if (error === null) {
      this.acked = Math.max(this.acked, seq);
      return recorder.record(this.#p, { type: 'ok', f: 'ack', v: { seq } });
    }
    recorder.record(this.#p, { type: 'info', f: 'ack', v: { seq, error } });
    // It will be sent again, with the next messages or after a while.
    this.#ackSent = Math.min(this.#ackSent, this.acked);
    this.#ackDueAt = performance.now() + MAX_DELAY_MS / 4;
  }

  #end(code: number): void {
    this.#isOver = true;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.closeCode = code;
    this.isClosedByServer = !this.#isOursToClose;
    const { recorder } = this.#options;
    const ms = performance.now() - this.#startedAt;
    this.#resolveOpened(false);
    if (!this.#isWelcomed) {
      recorder.record(this.#p, { type: 'fail', f: 'connect', v: { ...this.#refusal, ms } });
      return;
    }
    recorder.record(this.#p, {
      type: 'info',
      f: 'closed',
      v: { code, by: this.#isOursToClose ? 'device' : 'server' },
    });
  }
}
