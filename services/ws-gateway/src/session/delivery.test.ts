import fc from 'fast-check';
import { Delivery, type Entry, type SkippedRange, type Want } from './delivery';

/** What may happen to a connection's delivery, in any order. `seq` counts from the end of the inbox there is. */
type Happening =
  | { kind: 'commit'; count: number }
  /** Entries up to here leave the inbox. */
  | { kind: 'drop'; back: number }
  | { kind: 'arrive'; back: number }
  | { kind: 'learn'; back: number }
  | { kind: 'phantom'; beyond: number; isEntry: boolean }
  | { kind: 'send' }
  | { kind: 'ack'; back: number }
  | { kind: 'ask' }
  | { kind: 'answer' };

const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('drop' as const), back: fc.nat(60) }),
  fc.record({ kind: fc.constant('arrive' as const), back: fc.nat(30) }),
  fc.record({ kind: fc.constant('learn' as const), back: fc.nat(5) }),
  fc.record({
    kind: fc.constant('phantom' as const),
    beyond: fc.integer({ min: 1, max: 500 }),
    isEntry: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('send' as const) }),
  fc.record({ kind: fc.constant('ack' as const), back: fc.integer({ min: -3, max: 10 }) }),
  fc.record({ kind: fc.constant('ask' as const) }),
  fc.record({ kind: fc.constant('answer' as const) }),
);

const anyStart = fc.record({
  after: fc.nat(20),
  waiting: fc.nat(100),
  window: fc.integer({ min: 1, max: 40 }),
});

describe('Delivery', () => {
  it('§1: whatever comes, each seq is sent one more than the last, within the window, and an ack beyond changes nothing', () => {
    fc.assert(
      fc.property(anyStart, fc.array(anyHappening, { maxLength: 80 }), (from, happenings) => {
        const inbox = new Inbox(from);
        for (const each of happenings) {
          inbox.happen(each);
          expect(inbox.delivery.inFlight).toBeLessThanOrEqual(from.window);
          expect(inbox.delivery.room).toBe(from.window - inbox.delivery.inFlight);
        }
        expect(inbox.sent).toEqual(inbox.sent.map((_, index) => from.after + 1 + index));
      }),
      { numRuns: 1_000 },
    );
  });

  it('§1: once every want is answered, everything that was ever told of is sent, whatever was forged or read meanwhile', () => {
    fc.assert(
      fc.property(anyStart, fc.array(anyHappening, { maxLength: 80 }), (from, happenings) => {
        const inbox = new Inbox(from);
        for (const each of happenings) inbox.happen(each);
        inbox.settle();
        expect(inbox.delivery.sent).toBeGreaterThanOrEqual(inbox.told);
        expect(inbox.delivery.inFlight).toBe(0);
        expect(inbox.delivery.newest).toBeLessThanOrEqual(inbox.newest);
        expect(inbox.delivery.want()).toBeNull();

        inbox.delivery.learn(inbox.newest); // as reconcile does
        inbox.settle();
        expect(inbox.sent).toEqual(inbox.all());
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps at most 64 entries that came before their turn; the others stay in Postgres', () => {
    const delivery = new Delivery({ after: 0, newest: 0, window: 10_000 });
    for (let seq = 2; seq <= 1_000; seq++) delivery.arrive(entry(seq));
    delivery.arrive(entry(1));
    const sent: number[] = [];
    for (let next = delivery.next(); next !== null; next = delivery.next()) sent.push(endOf(next));
    expect(sent).toHaveLength(65);
    expect(delivery.want()).toEqual({ after: 65, limit: 64 });
  });

  it('wants nothing while the window is full, and goes on where it stopped when an ack opens it', () => {
    const delivery = new Delivery({ after: 0, newest: 10, window: 3 });
    expect(delivery.want()).toEqual({ after: 0, limit: 3 });
    for (let seq = 1; seq <= 10; seq++) delivery.arrive(entry(seq));
    expect([1, 2, 3].map(() => delivery.next())).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
    expect(delivery.next()).toBeNull();
    expect(delivery.want()).toBeNull();
    expect(delivery.acknowledge(2)).toBe(true);
    expect(delivery.next()).toMatchObject({ seq: 4 });
  });

  it('believes the inbox over a hint, but not over what was told of while the inbox was read', () => {
    const delivery = new Delivery({ after: 0, newest: 0, window: 100 });
    delivery.learn(1_000_000);
    delivery.beginReading();
    delivery.arrive(entry(2));
    delivery.correct(0);
    expect(delivery.newest).toBe(2);
    delivery.arrive(entry(1));
    expect([delivery.next(), delivery.next()]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    expect(delivery.want()).toBeNull();
  });
});

describe('Delivery of an inbox that does not have everything any more', () => {
  it('§5.2: tells of what is gone in its turn, and counts it neither in the window nor after an ack', () => {
    const delivery = new Delivery({ after: 0, newest: 1_010, window: 2 });
    delivery.arrive(entry(1));
    delivery.skip({ from: 2, to: 1_000 });
    delivery.arrive(entry(1_001));
    delivery.arrive(entry(1_002));
    expect([delivery.next(), delivery.next(), delivery.next()]).toMatchObject([
      { seq: 1 },
      { from: 2, to: 1_000 },
      { seq: 1_001 },
    ]);
    expect([delivery.inFlight, delivery.room, delivery.next()]).toEqual([2, 0, null]);
    expect([delivery.acknowledge(500), delivery.inFlight]).toEqual([true, 1]);
    expect([delivery.acknowledge(1_000), delivery.inFlight]).toEqual([true, 1]);
    expect(delivery.next()).toMatchObject({ seq: 1_002 });
    expect([delivery.acknowledge(1_002), delivery.inFlight]).toEqual([true, 0]);
  });

  it('§5.2: does not tell again of what was sent, and keeps nothing that the range has passed', () => {
    const delivery = new Delivery({ after: 0, newest: 20, window: 100 });
    for (const seq of [1, 2, 5, 9, 14]) delivery.arrive(entry(seq));
    expect([delivery.next(), delivery.next()]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    delivery.skip({ from: 1, to: 10 });
    expect(delivery.next()).toEqual({ from: 3, to: 10 });
    expect(delivery.next()).toBeNull();
    expect(delivery.want()).toEqual({ after: 10, limit: 10 });
    delivery.skip({ from: 11, to: 13 });
    expect([delivery.next(), delivery.next()]).toMatchObject([{ from: 11, to: 13 }, { seq: 14 }]);
    expect(delivery.hasEarly).toBe(false);
    delivery.skip({ from: 3, to: 13 });
    expect(delivery.hasEarly).toBe(false);
  });
});

/** The last position that it is about. */
function endOf(next: Entry | SkippedRange): number {
  return 'seq' in next ? next.seq : next.to;
}

function entry(seq: number): Entry {
  return { seq, messageJson: '{}', messageId: `m${seq}`, createdAt: '', source: 'live', epoch: 'e1' };
}

/** An inbox that grows, and what one connection to it is sent. */
class Inbox {
  readonly delivery: Delivery;
  readonly sent: number[] = [];
  newest: number;
  /** The highest true `seq` that the delivery was told of. */
  told: number;
  readonly #after: number;
  #asked: { want: Want; newest: number; gone: number } | null = null;
  /** Entries through this have left the inbox. */
  #gone = 0;

  constructor({ after, waiting, window }: { after: number; waiting: number; window: number }) {
    this.#after = after;
    this.newest = after + waiting;
    this.told = this.newest;
    this.delivery = new Delivery({ after, newest: this.newest, window });
  }

  all(): number[] {
    return Array.from({ length: this.newest - this.#after }, (_, index) => this.#after + 1 + index);
  }

  happen(happening: Happening): void {
    const { delivery } = this;
    switch (happening.kind) {
      case 'commit':
        this.newest += happening.count;
        return;
      case 'drop':
        this.#gone = Math.max(this.#gone, this.newest - happening.back);
        return;
      case 'arrive':
      case 'learn': {
        const seq = this.newest - happening.back;
        if (seq < 1) return;
        this.told = Math.max(this.told, seq);
        if (happening.kind === 'arrive') delivery.arrive(entry(seq));
        else delivery.learn(seq);
        return;
      }
      case 'phantom': {
        // The entry right after the last sent cannot be told from a true one; everything farther off can.
        const seq = Math.max(this.newest, delivery.sent + 1) + 200 + happening.beyond;
        if (happening.isEntry) delivery.arrive(entry(seq));
        else delivery.learn(seq);
        return;
      }
      case 'send':
        return this.#send();
      case 'ack': {
        const seq = delivery.sent - happening.back;
        const { inFlight } = delivery;
        expect(delivery.acknowledge(seq)).toBe(seq <= delivery.sent);
        if (seq > delivery.sent) expect(delivery.inFlight).toBe(inFlight);
        return;
      }
      case 'ask': {
        const want = delivery.want();
        if (want === null || this.#asked !== null) return;
        delivery.beginReading();
        this.#asked = { want, newest: this.newest, gone: this.#gone };
        return;
      }
      case 'answer':
        return this.#answer();
    }
  }

  /** Answers every want until there is none. */
  settle(): void {
    this.#answer();
    for (let round = 0; ; round++) {
      expect(round).toBeLessThan(2_000);
      const { length } = this.sent;
      this.delivery.acknowledge(this.delivery.sent);
      this.#send();
      this.happen({ kind: 'ask' });
      if (this.#asked === null && this.sent.length === length) return;
      this.#answer();
    }
  }

  #send(): void {
    for (let next = this.delivery.next(); next !== null; next = this.delivery.next()) {
      if ('seq' in next) this.sent.push(next.seq);
      else for (let seq = next.from; seq <= next.to; seq++) this.sent.push(seq);
    }
  }

  /** As the fetcher does: the answer shows the inbox as it was when it was asked. */
  #answer(): void {
    if (this.#asked === null) return;
    const { want, newest, gone } = this.#asked;
    this.#asked = null;
    const first = Math.max(want.after, Math.min(gone, newest)) + 1;
    if (first > want.after + 1) this.delivery.skip({ from: want.after + 1, to: first - 1 });
    const last = Math.min(first + want.limit - 1, newest);
    for (let seq = first; seq <= last; seq++) this.delivery.arrive(entry(seq));
    this.delivery.correct(newest);
  }
}
