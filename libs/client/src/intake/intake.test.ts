import type { SkippedRange } from '@posthorn/protocol';
import type { ClientError } from '../client-error.ts';
import type { Cursor } from '../stores/store.ts';
import { Intake, type IntakeHost } from './intake.ts';

interface Told {
  cursors: Cursor[];
  handled: number[];
  skipped: SkippedRange[];
  caughtUp: number[];
  errors: ClientError[];
}

function opened(cursor?: Cursor, more: Partial<IntakeHost> = {}): { intake: Intake; told: Told } {
  const told: Told = { cursors: [], handled: [], skipped: [], caughtUp: [], errors: [] };
  const intake = new Intake({
    keepCursor: (kept) => void told.cursors.push(kept),
    onHandled: (seq) => void told.handled.push(seq),
    onSkipped: (range) => void told.skipped.push(range),
    onCaughtUp: (seq) => void told.caughtUp.push(seq),
    onError: (error) => void told.errors.push(error),
    ...more,
  });
  intake.open(cursor);
  return { intake, told };
}

function arrival(seq: number): Parameters<Intake['offer']>[0] {
  return { seq, message: { id: String(seq), from: 'alice', text: `${seq}`, createdAt: '' } };
}

/** Lets everything happen that waits for no timer. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Intake', () => {
  it('§5.5: takes each seq once and in turn, and leaves a gap alone', () => {
    const { intake } = opened({ epoch: 'e', seq: 4 });
    expect([4, 5, 5, 7, 6].map((seq) => intake.offer(arrival(seq)))).toEqual([
      'duplicate',
      'taken',
      'duplicate',
      'gap',
      'taken',
    ]);
    expect(intake.position).toEqual({ epoch: 'e', seq: 6 });
    expect(intake.cursor).toEqual({ epoch: 'e', seq: 4 });
  });

  it('§5.3: keeps the cursor in the turn in which a synchronous handler returns, and tells afterwards', async () => {
    const order: string[] = [];
    const { intake } = opened(
      { epoch: 'e', seq: 0 },
      {
        keepCursor: ({ seq }) => void order.push(`kept ${seq}`),
        onHandled: (seq) => void order.push(`told ${seq}`),
      },
    );
    intake.handle(({ seq }) => {
      order.push(`handled ${seq}`);
      queueMicrotask(() => order.push(`next turn ${seq}`));
    });
    intake.offer(arrival(1));
    await settle();
    expect(order.slice(0, 2)).toEqual(['handled 1', 'kept 1']);
    expect(order).toContain('told 1');
  });

  it('waits for a promise of a handler before the next message, and for a handler at all', async () => {
    const { intake, told } = opened({ epoch: 'e', seq: 0 });
    intake.offer(arrival(1));
    intake.offer(arrival(2));
    await settle();
    expect(told.handled).toEqual([]);
    const finishes: (() => void)[] = [];
    intake.handle(() => new Promise<void>((resolve) => finishes.push(resolve)));
    await settle();
    expect(finishes).toHaveLength(1);
    finishes[0]?.();
    await settle();
    expect([told.handled, finishes.length]).toEqual([[1], 2]);
  });

  it('§5.9: tells caughtUp behind the messages that came before it', async () => {
    const { intake, told } = opened({ epoch: 'e', seq: 0 });
    intake.offer(arrival(1));
    intake.markCaughtUp();
    intake.markCaughtUp();
    await settle();
    expect(told.caughtUp).toEqual([]);
    intake.handle(() => expect(told.caughtUp).toEqual([]));
    await settle();
    expect(told).toMatchObject({ handled: [1], caughtUp: [1], errors: [] });
  });

  it('§5.2: takes what is not kept any more in its turn, tells of it behind what came before, and goes on behind it', async () => {
    const { intake, told } = opened({ epoch: 'e', seq: 4 });
    expect(intake.offerSkipped({ from: 2, to: 4 })).toBe('duplicate');
    expect(intake.offerSkipped({ from: 6, to: 9 })).toBe('gap');
    intake.offer(arrival(5));
    expect(intake.offerSkipped({ from: 3, to: 9 })).toBe('taken');
    expect(intake.offer(arrival(9))).toBe('duplicate');
    intake.offer(arrival(10));
    expect(intake.position).toEqual({ epoch: 'e', seq: 10 });
    await settle();
    expect(told).toMatchObject({ skipped: [], handled: [] });
    const order: (number | string)[] = [];
    intake.handle(({ seq }) => void order.push(seq, told.skipped.length));
    await settle();
    expect(order).toEqual([5, 0, 10, 1]);
    expect(told).toMatchObject({ skipped: [{ from: 6, to: 9 }], handled: [5, 9, 10], errors: [] });
    expect(told.cursors.map(({ seq }) => seq)).toEqual([5, 9, 10]);
  });

  it('§5.1: after a reset drops what waited, and does not count the handler that was at work', async () => {
    const { intake, told } = opened({ epoch: 'old', seq: 10 });
    let finish = (): void => undefined;
    intake.handle(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    intake.offer(arrival(11));
    intake.offer(arrival(12));
    await settle();
    expect(intake.begin({ epoch: 'new', seq: 3 }, true)).toBe(true);
    finish();
    await settle();
    expect(told).toMatchObject({ handled: [], cursors: [{ epoch: 'new', seq: 3 }] });
    expect(intake.offer(arrival(4))).toBe('taken');
  });

  it('§5.1: learns the epoch without moving', () => {
    const { intake, told } = opened({ epoch: null, seq: 7 });
    expect(intake.begin({ epoch: 'e', seq: 7 }, false)).toBe(false);
    expect(told.cursors).toEqual([{ epoch: 'e', seq: 7 }]);
    expect(intake.begin({ epoch: 'e', seq: 7 }, false)).toBe(false);
    expect(told.cursors).toHaveLength(1);
  });

  it('closes while a handler never ends', async () => {
    const { intake } = opened({ epoch: 'e', seq: 0 });
    intake.handle(() => new Promise<void>(() => undefined));
    intake.offer(arrival(1));
    await settle();
    await intake.close(20);
    expect(intake.cursor).toEqual({ epoch: 'e', seq: 0 });
  });
});
