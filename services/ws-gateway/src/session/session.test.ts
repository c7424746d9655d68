import type { CloseReason, ServerFrame } from '@posthorn/protocol';
import type { Entry } from './delivery';
import { Session, type SessionHost, type SessionStart } from './session';
import type { Transport } from './transport';

describe('Session', () => {
  it('§5: the welcome is the first frame, also when entries came before the device was claimed', () => {
    const { session, transport } = open({ newestSeq: 2 }, {}, (claiming) => {
      claiming.arrive(entry(2));
      claiming.arrive(entry(1));
    });
    expect(transport.frames.map(({ type }) => type)).toEqual(['welcome', 'message', 'message', 'caughtUp']);
    expect(transport.frames[0]).toEqual({
      type: 'welcome',
      user: 'bob',
      device: 'phone',
      session: session.id,
      epoch: 'e1',
      after: 0,
      lastSeq: 2,
      heartbeatMs: 25_000,
    });
  });

  it('§5: the welcome says reset only where `after` was set aside', () => {
    expect(open({ isReset: true }).transport.frames[0]).toMatchObject({ type: 'welcome', reset: true });
    expect(open({}).transport.frames[0]).not.toHaveProperty('reset');
  });

  it('§5: caughtUp comes once, after all that was waiting at the connect, whatever comes meanwhile', () => {
    const { session, transport, host } = open({ newestSeq: 2 });
    expect(transport.types()).toEqual(['welcome']);
    expect(host.wants).toBe(1);
    session.arrive(entry(3));
    session.arrive(entry(1));
    session.pump();
    expect(transport.types()).toEqual(['welcome', 'message 1']);
    session.arrive(entry(2));
    session.pump();
    session.arrive(entry(4));
    session.pump();
    expect(transport.types()).toEqual([
      'welcome',
      'message 1',
      'message 2',
      'message 3',
      'caughtUp 3',
      'message 4',
    ]);
    expect(session.state).toBe('live');
  });

  it('§5: caughtUp comes at once where nothing was waiting', () => {
    expect(open({ after: 7, cursor: 7, newestSeq: 7 }).transport.types()).toEqual(['welcome', 'caughtUp 7']);
  });

  it('keeps a bounded number of entries while the device is being claimed, and wants the others', () => {
    const { session, transport, host } = open({ newestSeq: 100 }, {}, (claiming) => {
      for (let seq = 1; seq <= 100; seq++) claiming.arrive(entry(seq));
    });
    expect(transport.types().at(-1)).toBe('message 64');
    expect(host.wants).toBe(1);
    expect(session.delivery?.want()).toEqual({ after: 64, limit: 36 });
  });

  it('§5: drops entries of another epoch, whenever they come', () => {
    const { session, transport } = open({ newestSeq: 1 }, {}, (claiming) => claiming.arrive(entry(1, 'e0')));
    session.arrive(entry(1, 'e2'));
    session.pump();
    expect(transport.types()).toEqual(['welcome']);
    expect(session.delivery?.want()).toEqual({ after: 0, limit: 1 });
  });

  it('remembers what it heard of while the device was being claimed, though the inbox read then was older', () => {
    const { session } = open({ newestSeq: 1 }, {}, (claiming) => claiming.learn(3, 'e1'));
    expect(session.delivery?.want()).toEqual({ after: 0, limit: 3 });
  });

  it('§5: 20 bad frames in a row close with 1008, and a good one in between resets the count', () => {
    const { session, transport } = open({});
    for (let count = 0; count < 19; count++) session.refuse('invalid_json', 'no', undefined);
    session.forgiveBadFrames();
    for (let count = 0; count < 19; count++) session.refuse('invalid_json', 'no', count);
    expect(transport.closedWith).toBeNull();
    session.refuse('invalid_json', 'no', undefined);
    expect(transport.closedWith).toBe('policyViolation');
    expect(transport.frames.filter(({ type }) => type === 'error')).toHaveLength(39);
  });

  it('§5: what could not be done through no fault of the client is no bad frame', () => {
    const { session, transport } = open({});
    for (let count = 0; count < 100; count++) session.fail('unavailable', 'later', undefined);
    expect(transport.closedWith).toBeNull();
  });

  describe('§5: of two connections of a device the one with the higher fencing token lives', () => {
    it('whether it hears of the other while it is open', () => {
      const { session, transport, host } = open({ fence: 5 });
      session.takeOver(4, 'e1');
      session.takeOver(5, 'e1');
      expect(transport.closedWith).toBeNull();
      session.takeOver(6, 'e1');
      expect(transport.closedWith).toBe('takenOver');
      expect(host.left).toEqual(['takenOver']);
    });

    it('or before its own claim came back', () => {
      const { session, transport } = open({ fence: 5 }, {}, (claiming) => claiming.takeOver(6, 'e1'));
      expect(session.isTakenOver).toBe(true);
      session.takeOver(5, 'e1');
      expect(transport.closedWith).toBe('takenOver');
    });

    it('or of an older one before its own claim came back', () => {
      const { session, transport } = open({ fence: 5 }, {}, (claiming) => claiming.takeOver(4, 'e1'));
      session.takeOver(5, 'e1');
      expect(session.isTakenOver).toBe(false);
      expect(transport.closedWith).toBeNull();
    });
  });

  it('§5: a fencing token or a newest seq of another epoch says nothing of this connection, whenever it is heard of', () => {
    const { session, transport } = open({ fence: 1 }, {}, (claiming) => {
      claiming.takeOver(9, 'e0');
      claiming.learn(9, 'e0');
    });
    session.takeOver(9, 'e2');
    session.learn(9, 'e2');
    expect(session.isTakenOver).toBe(false);
    expect(session.delivery?.newest).toBe(0);
    expect(transport.closedWith).toBeNull();
    session.takeOver(2, 'e1');
    expect(transport.closedWith).toBe('takenOver');
  });

  it('§5: of two fresh tokens the one that was sent last counts, whichever is verified first', () => {
    const { session } = open({});
    const [first, second, third] = [session.offerToken(), session.offerToken(), session.offerToken()];
    session.takeToken(second, 2_000);
    session.takeToken(first, 1_000);
    expect(session.tokenExpiresAtMs).toBe(2_000);
    session.takeToken(third, 1_500);
    expect(session.tokenExpiresAtMs).toBe(1_500);
  });

  it('§5: ack=auto counts an entry as acknowledged once it is written, so the window never closes', () => {
    const { session, transport, host } = open({ newestSeq: 5 }, { isAutoAck: true, deliveryWindow: 2 });
    for (let seq = 1; seq <= 5; seq++) session.arrive(entry(seq));
    session.pump();
    expect(transport.types().at(-1)).toBe('caughtUp 5');
    expect(session.ackWanted).toBe(5);
    expect(host.acks).toBeGreaterThan(0);
  });

  it('§5: with manual acks the window stops sending, and an ack lets it go on', () => {
    const { session, transport } = open({ newestSeq: 5 }, { deliveryWindow: 2 });
    for (let seq = 1; seq <= 5; seq++) session.arrive(entry(seq));
    session.pump();
    expect(transport.types().slice(1)).toEqual(['message 1', 'message 2']);
    expect(session.acknowledge(3, undefined)).toBe(false);
    expect(session.acknowledge(1, undefined)).toBe(true);
    expect(transport.types().slice(1)).toEqual(['message 1', 'message 2', 'message 3']);
  });

  it('§5: an ack at or below what is committed is answered at once; a higher one waits for its commit', () => {
    const { session, transport } = open({ after: 0, cursor: 1, newestSeq: 2 });
    session.arrive(entry(1));
    session.arrive(entry(2));
    session.pump();
    session.acknowledge(1, 'a');
    expect(transport.frames.at(-1)).toEqual({ type: 'ok', ref: 'a' });
    session.acknowledge(2, 'b');
    expect(transport.frames.at(-1)).toEqual({ type: 'ok', ref: 'a' });
    expect(session.ackRefs).toEqual([{ seq: 2, ref: 'b' }]);
  });

  it('§5: an ack that could not be committed is asked for again when the client repeats it', () => {
    const { session, host } = open({ newestSeq: 1 });
    session.arrive(entry(1));
    session.pump();
    session.acknowledge(1, 'a');
    expect(host.acks).toBe(1);
    session.acknowledge(1, 'b');
    expect(host.acks).toBe(2);
  });

  it('pauses while maxBufferedBytes wait to be sent, and goes on when they have left', () => {
    const { session, transport, host } = open({ newestSeq: 3 }, { maxBufferedBytes: 1_000 });
    const wants = host.wants;
    transport.bufferedBytes = 1_000;
    for (let seq = 1; seq <= 3; seq++) session.arrive(entry(seq));
    session.pump();
    expect(transport.types()).toEqual(['welcome']);
    expect(host.wants).toBe(wants);
    transport.bufferedBytes = 999;
    session.pump();
    expect(transport.types().at(-1)).toBe('caughtUp 3');
  });

  it('§5: with ack=auto nothing counts as acknowledged that the closing socket does not take', () => {
    const { session, transport, host } = open({ newestSeq: 0 }, { isAutoAck: true });
    transport.isOpen = false;
    session.arrive(entry(1));
    session.pump();
    expect([session.delivery?.sent, session.ackWanted, host.acks]).toEqual([0, 0, 0]);
  });

  it('asks for nothing while it is paused: the backlog stays in Postgres', () => {
    const { session, transport, host } = open({}, { maxBufferedBytes: 1_000 });
    transport.bufferedBytes = 5_000;
    session.learn(10, 'e1');
    session.pump();
    expect(host.wants).toBe(0);
    transport.bufferedBytes = 0;
    session.pump();
    expect(host.wants).toBe(1);
  });

  it('§5: news is dropped while the connection is too far behind, not welcomed yet, or over', () => {
    const news: ServerFrame = { type: 'receipt', id: 'm', user: 'carol', status: 'read', at: '' };
    const { session, transport } = open({}, { maxBufferedBytes: 1_000 }, (claiming) =>
      expect(claiming.sendNews(news)).toBe(false),
    );
    expect(session.sendNews(news)).toBe(true);
    transport.bufferedBytes = 1_000;
    expect(session.sendNews(news)).toBe(false);
    transport.bufferedBytes = 0;
    session.close('disconnected');
    expect(session.sendNews(news)).toBe(false);
    expect(transport.types().filter((type) => type === 'receipt')).toHaveLength(1);
  });

  it('sends nothing after it was closed, and tells of its end once', () => {
    const { session, transport, host } = open({ newestSeq: 1 });
    session.close('serviceRestart');
    session.close('takenOver');
    session.end();
    session.arrive(entry(1));
    session.pump();
    session.ok('x');
    expect(transport.types()).toEqual(['welcome']);
    expect(transport.closedWith).toBe('serviceRestart');
    expect(host.left).toEqual(['serviceRestart']);
  });

  it('§5: frames beyond the burst end the connection with 4429', () => {
    const { session, transport } = open({}, { rateLimitFrames: 10 });
    for (let count = 0; count < 40; count++) expect(session.hear(1_000)).toBe(true);
    expect(session.hear(1_000)).toBe(false);
    expect(transport.closedWith).toBe('tooManyFrames');
  });

  it('§5: the sustained rate of frames is never too much, and a rate of 0 is no limit', () => {
    const { session, transport } = open({}, { rateLimitFrames: 10 });
    for (let count = 0; count < 1_000; count++) session.hear(count * 100);
    expect(transport.closedWith).toBeNull();
    const unlimited = open({}, { rateLimitFrames: 0 });
    for (let count = 0; count < 1_000; count++) unlimited.session.hear(0);
    expect(unlimited.transport.closedWith).toBeNull();
  });
});

function entry(seq: number, epoch = 'e1'): Entry {
  return { seq, messageJson: `{"id":"m${seq}"}`, messageId: `m${seq}`, createdAt: '', source: 'live', epoch };
}

/** A session that was welcomed; `early` is done with it before that. */
function open(
  start: Partial<SessionStart>,
  { isAutoAck = false, ...limits }: Partial<SessionHost> & { isAutoAck?: boolean } = {},
  early: (session: Session) => void = () => undefined,
): { session: Session; transport: RecordingTransport; host: RecordingHost } {
  const host = new RecordingHost(limits);
  const session = new Session(
    { user: 'bob', device: 'phone', isAutoAck, tokenExpiresAtMs: Number.MAX_SAFE_INTEGER },
    host,
    0,
  );
  early(session);
  const transport = new RecordingTransport();
  session.open(transport, {
    after: 0,
    cursor: 0,
    newestSeq: 0,
    fence: 1,
    epoch: 'e1',
    isReset: false,
    ...start,
  });
  return { session, transport, host };
}

class RecordingTransport implements Transport {
  readonly frames: ServerFrame[] = [];
  closedWith: CloseReason | null = null;
  isOpen = true;
  bufferedBytes = 0;
  progress = 0;

  send(text: string): void {
    this.frames.push(JSON.parse(text) as ServerFrame);
  }

  ping(): void {}

  close(reason: CloseReason): void {
    this.closedWith = reason;
  }

  /** The frames in short. */
  types(): string[] {
    return this.frames.map((frame) => ('seq' in frame ? `${frame.type} ${frame.seq}` : frame.type));
  }
}

class RecordingHost implements SessionHost {
  readonly deliveryWindow: number;
  readonly maxBufferedBytes: number;
  readonly heartbeatMs = 25_000;
  readonly rateLimitFrames: number;
  wants = 0;
  acks = 0;
  readonly left: (CloseReason | 'peer')[] = [];

  constructor(limits: Partial<SessionHost>) {
    this.deliveryWindow = limits.deliveryWindow ?? 256;
    this.maxBufferedBytes = limits.maxBufferedBytes ?? 1_048_576;
    this.rateLimitFrames = limits.rateLimitFrames ?? 0;
  }

  onSent(): void {}

  onSkipped(): void {}

  onWant(): void {
    this.wants++;
  }

  onAck(): void {
    this.acks++;
  }

  onLeave(_session: Session, reason: CloseReason | 'peer'): void {
    this.left.push(reason);
  }
}
