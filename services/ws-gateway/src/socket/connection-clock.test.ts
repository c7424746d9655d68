import type { CloseReason } from '@posthorn/protocol';
import { ConnectionTable } from '../holding/connection-table';
import { Session, type SessionHost } from '../session/session';
import type { Transport } from '../session/transport';
import { ConnectionClock } from './connection-clock';

const LIMIT = 1_000;

describe('ConnectionClock', () => {
  let nowMs: number;
  let clock: ConnectionClock;
  let session: Session;
  let transport: StillTransport;
  beforeEach(() => {
    nowMs = 1_000_000;
    const table = new ConnectionTable();
    clock = new ConnectionClock({
      heartbeatMs: 25_000,
      slowConsumerMs: 30_000,
      maxBufferedBytes: LIMIT,
      table,
      now: () => nowMs,
    });
    clock.stop(); // the tests tick
    session = new Session(
      { user: 'bob', device: 'phone', isAutoAck: false, tokenExpiresAtMs: Number.MAX_SAFE_INTEGER },
      host,
      nowMs,
    );
    table.add(session);
    transport = new StillTransport();
    const start = { after: 0, cursor: 0, newestSeq: 0, fence: 1, epoch: 'e', isReset: false };
    session.open(transport, start);
  });

  /** Ticks once a second, as the timer does. */
  function pass(seconds: number, each: () => void = () => undefined): void {
    for (let second = 0; second < seconds; second++) {
      nowMs += 1_000;
      each();
      clock.tick();
    }
  }

  it('§2: pings each heartbeat, and closes with 4408 after 1.5 of them without a sign of the peer', () => {
    pass(37);
    expect(transport.pings).toBe(1);
    expect(transport.closedWith).toBeNull();
    pass(1);
    expect(transport.closedWith).toBe('noPong');
  });

  it('lives as long as the peer is heard', () => {
    pass(300, () => {
      session.lastHeardMs = nowMs;
    });
    expect(transport.closedWith).toBeNull();
    expect(transport.pings).toBe(12);
  });

  it('excuses silence while the process itself stood still', () => {
    pass(20);
    nowMs += 60_000;
    clock.tick();
    expect(transport.closedWith).toBeNull();
    pass(16);
    expect(transport.closedWith).toBeNull();
    pass(2);
    expect(transport.closedWith).toBe('noPong');
  });

  it('excuses a peer that could not be written to meanwhile, too', () => {
    transport.bufferedBytes = LIMIT;
    const heard = (): void => {
      session.lastHeardMs = nowMs;
    };
    pass(29, heard);
    nowMs += 60_000;
    clock.tick();
    expect(transport.closedWith).toBeNull();
    pass(3, heard);
    expect(transport.closedWith).toBe('tooSlow');
  });

  it('§2: closes with 4413 after SLOW_CONSUMER_MS without progress while sending is paused', () => {
    transport.bufferedBytes = LIMIT;
    pass(30, () => {
      session.lastHeardMs = nowMs;
    });
    expect(transport.closedWith).toBeNull();
    pass(1, () => {
      session.lastHeardMs = nowMs;
    });
    expect(transport.closedWith).toBe('tooSlow');
  });

  it('§2: neither a slow reader that makes progress nor a small rest closes with 4413', () => {
    transport.bufferedBytes = LIMIT;
    pass(200, () => {
      session.lastHeardMs = nowMs;
      transport.progress += 1;
    });
    transport.bufferedBytes = LIMIT - 1;
    pass(200, () => {
      session.lastHeardMs = nowMs;
    });
    expect(transport.closedWith).toBeNull();
  });

  it('§5: takes a peer for heard while what waits before the ping still leaves, and for silent once nothing does', () => {
    transport.bufferedBytes = LIMIT - 1;
    pass(200, () => {
      transport.progress += 1;
    });
    expect(transport.closedWith).toBeNull();
    pass(38);
    expect(transport.closedWith).toBe('noPong');
  });

  it('§5: closes with 4401 once the token ended more than the leeway ago', () => {
    session.tokenExpiresAtMs = Date.now() - 4_000;
    pass(1);
    expect(transport.closedWith).toBeNull();
    session.tokenExpiresAtMs = Date.now() - 5_001;
    pass(1);
    expect(transport.closedWith).toBe('tokenExpired');
  });

  it('looks at a share of many connections at a time, at each in its turn, those that leave meanwhile aside', () => {
    const table = new ConnectionTable();
    const many = Array.from({ length: 100 }, (_, index) => {
      const each = new Session(
        { user: `user-${index}`, device: 'd', isAutoAck: false, tokenExpiresAtMs: Number.MAX_SAFE_INTEGER },
        host,
        nowMs,
      );
      table.add(each);
      const line = new StillTransport();
      each.open(line, { after: 0, cursor: 0, newestSeq: 0, fence: 1, epoch: 'e', isReset: false });
      return { each, line };
    });
    const all = new ConnectionClock({
      heartbeatMs: 25_000,
      slowConsumerMs: 30_000,
      maxBufferedBytes: LIMIT,
      table,
      now: () => nowMs,
    });
    all.stop();
    const pinged = (): number => many.filter(({ line }) => line.pings === 1).length;
    for (const { each } of many) each.lastPingMs -= 25_000;
    all.tick();
    expect(pinged()).toBe(5);
    for (const { each } of many.slice(90)) table.remove(each);
    for (let step = 0; step < 19; step++) {
      nowMs += 50;
      all.tick();
    }
    expect(pinged()).toBe(90);
    expect(many.every(({ line }) => line.pings <= 1)).toBe(true);
  });

  it('leaves a session alone whose device is still being claimed', () => {
    const claiming = new Session(
      { user: 'eve', device: 'phone', isAutoAck: false, tokenExpiresAtMs: 0 },
      host,
      nowMs,
    );
    const table = new ConnectionTable();
    table.add(claiming);
    const other = new ConnectionClock({
      heartbeatMs: 50,
      slowConsumerMs: 50,
      maxBufferedBytes: LIMIT,
      table,
      now: () => nowMs,
    });
    other.stop();
    nowMs += 10_000;
    other.tick();
    expect(claiming.state).toBe('claiming');
  });
});

const host: SessionHost = {
  deliveryWindow: 256,
  maxBufferedBytes: LIMIT,
  heartbeatMs: 25_000,
  rateLimitFrames: 0,
  onSent: () => undefined,
  onSkipped: () => undefined,
  onWant: () => undefined,
  onAck: () => undefined,
  onLeave: () => undefined,
};

/** A socket whose buffer and progress a test sets. */
class StillTransport implements Transport {
  isOpen = true;
  bufferedBytes = 0;
  progress = 0;
  pings = 0;
  closedWith: CloseReason | null = null;

  send(): void {}

  ping(): void {
    this.pings++;
  }

  close(reason: CloseReason): void {
    this.closedWith = reason;
  }
}
