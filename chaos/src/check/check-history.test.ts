import { checkHistory } from './check-history';
import { MODEL_OPTIONS, ModelWorld } from './model-world.fixture';
import { Tampered } from './tamper.fixture';
import type { Invariant } from './verdict';

/**
 * alice writes to bob, who has two devices, and once to herself and carol. Positions in bob's inbox: 1 to 4.
 * bob/d1 loses its connection after it acknowledged 2 and comes back for the rest.
 */
function story(): ModelWorld {
  const world = new ModelWorld();
  const [alice, d1, d2, carol] = [
    world.device('alice', 'd1'),
    world.device('bob', 'd1'),
    world.device('bob', 'd2'),
    world.device('carol', 'd1'),
  ];
  for (const device of [alice, d1, d2, carol]) device.connect();
  world.send('alice', ['bob']);
  world.send('alice', ['bob']);
  d1.deliver();
  d1.ack();
  d1.read(1);
  const third = world.send('alice', ['bob', 'carol', 'alice'], 'stored, but not told');
  world.attempt(third, 'created');
  world.twist(third);
  world.send('alice', ['bob'], 'refused');
  d1.deliver();
  d1.leave('server', 1012);
  world.fault('redis-flush', () => world.send('alice', ['bob', 'dave']));
  for (const device of [alice, d2, carol]) device.catchUp();
  world.finish();
  return world;
}

/** The keys of bob's inbox, in order. */
const ids = ['id-key-1', 'id-key-2', 'id-key-3', 'id-key-5'] as const;

describe('the check of a history', () => {
  it('counts as sent again what the device had acknowledged in vain, not what it never acknowledged', () => {
    const resentAfter = (fate: 'lost' | null): number => {
      const world = new ModelWorld();
      const device = world.device('bob', 'd1');
      device.connect();
      world.send('alice', ['bob']);
      device.deliver();
      if (fate === null) device.leave('device');
      else device.ack(fate);
      device.catchUp();
      world.finish();
      const { verdict, counts } = checkHistory(world.events, MODEL_OPTIONS);
      expect(verdict).not.toBe('invalid');
      return Math.round(counts.resent * counts.deliveries);
    };
    expect([resentAfter('lost'), resentAfter(null)]).toEqual([1, 0]);
  });

  it('finds nothing wrong with a right one', () => {
    const verdict = checkHistory(story().events, MODEL_OPTIONS);
    expect(verdict).toMatchObject({ verdict: 'valid', violations: [], doubts: [] });
    expect(verdict.counts).toEqual({
      attempts: 7,
      acknowledged: 4,
      recovered: 0,
      refused: 1,
      deliveries: 17,
      resent: 0,
      duplicatesBelowCursor: 0,
      lost: 0,
      misdelivered: 0,
      phantoms: 0,
      inversions: 0,
      gaps: 0,
      faultsInjected: 1,
      faultsProven: 1,
      redisFaultSends: { total: 1, ok: 1, p99Ms: 1 },
      quietSends: { total: 4, ok: 3, p99Ms: 1 },
      worstDeliveryMs: expect.closeTo(0.3, 0),
    });
  });

  it('says of each violation how many cases there are, and ten of them in words', () => {
    const history = new Tampered(story());
    for (const { v } of history.all('ok', 'message')) v.h = 'changed';
    const [violation] = checkHistory(history.events, MODEL_OPTIONS).violations;
    expect(violation).toMatchObject({ invariant: 'no phantom', count: 17 });
    expect(violation?.witnesses).toHaveLength(10);
    expect(violation?.witnesses[0]).toMatch(/^event \d+: alice\/d1#1 got id-key-3 with another content/);
  });
});

interface Case {
  title: string;
  /** What the check finds broken: the invariant that is meant, and what cannot be broken without it. */
  broken: Invariant[];
  tamper: (history: Tampered) => void;
}

function isAt(p: string, seq: number): (event: { p: string; v: { seq: number } }) => boolean {
  return (event) => event.p === p && event.v.seq === seq;
}

const cases: Case[] = [
  {
    title: 'a message that came to a fresh device is missing',
    broken: ['no loss', 'order', 'no silent gap', 'cursor safety'],
    tamper: (history) => history.drop(history.one('ok', 'message', isAt('bob/fresh#1', 2))),
  },
  {
    title: 'a message was refused, and came',
    broken: ['no phantom', 'store'],
    tamper: (history) => {
      const ok = history.one('ok', 'send', ({ v }) => v.key === 'key-1');
      history.insertAfter(ok, ok.p, { type: 'fail', f: 'send', v: { key: 'key-1', http: 422, ms: 1 } });
      history.drop(ok);
    },
  },
  {
    title: 'a message was sent by nobody',
    broken: ['no phantom', 'sequence agreement'],
    tamper: (history) => {
      const last = history.one('ok', 'message', isAt('carol/d1#1', 1));
      const v = { id: 'id-x', seq: 2, from: 'alice', h: 'x' };
      history.insertAfter(last, last.p, { type: 'ok', f: 'message', v });
    },
  },
  {
    title: 'a message has another content',
    broken: ['no phantom'],
    tamper: (history) => {
      history.one('ok', 'message', isAt('bob/d1#1', 1)).v.h = 'changed';
    },
  },
  {
    title: 'a message is from another sender',
    broken: ['no phantom'],
    tamper: (history) => {
      history.one('ok', 'message', isAt('bob/d1#1', 1)).v.from = 'carol';
    },
  },
  {
    title: 'a recipient is shown who else got it',
    broken: ['no phantom'],
    tamper: (history) => {
      history.one('ok', 'message', isAt('carol/d1#1', 1)).v.hasTo = true;
    },
  },
  {
    title: 'the sender is not shown who got it',
    broken: ['no phantom'],
    tamper: (history) => {
      delete history.one('ok', 'message', isAt('alice/d1#1', 1)).v.hasTo;
    },
  },
  {
    title: 'a message came to somebody else, too',
    broken: ['no misdelivery', 'sequence agreement'],
    tamper: (history) => {
      const last = history.one('ok', 'message', isAt('carol/d1#1', 1));
      const v = { id: ids[0], seq: 2, from: 'alice', h: 'hash-1' };
      history.insertAfter(last, last.p, { type: 'ok', f: 'message', v });
    },
  },
  {
    title: 'a receipt came to somebody else',
    broken: ['no misdelivery'],
    tamper: (history) => {
      const frame = history.one('ok', 'receipt');
      history.insertAfter(frame, 'carol/d1#1', { type: 'ok', f: 'receipt', v: frame.v });
    },
  },
  {
    title: 'two devices see two messages at one place',
    broken: ['sequence agreement'],
    tamper: (history) => {
      const [first, second] = [1, 2].map((seq) => history.one('ok', 'message', isAt('bob/d2#1', seq)));
      if (first === undefined || second === undefined) throw new Error('no such messages');
      [first.v.seq, second.v.seq] = [second.v.seq, first.v.seq];
      history.swap(first, second);
    },
  },
  {
    title: 'an inbox in the store has a hole',
    broken: ['sequence agreement'],
    tamper: (history) => {
      for (const entry of history.store.entries) if (entry.user === 'dave') entry.seq = 2;
    },
  },
  {
    title: 'a counter is ahead of its inbox',
    broken: ['sequence agreement'],
    tamper: (history) => {
      for (const inbox of history.store.inboxes) inbox.newestSeq += inbox.user === 'dave' ? 1 : 0;
    },
  },
  {
    title: 'a welcome is of another epoch',
    broken: ['sequence agreement'],
    tamper: (history) => {
      history.one('ok', 'welcome', ({ p }) => p === 'bob/d1#2').v.epoch = 'another';
    },
  },
  {
    title: 'a key was answered with two messages',
    broken: ['idempotency'],
    tamper: (history) => {
      const ok = history.one('ok', 'send', ({ v }) => v.key === 'key-2');
      history.insertAfter(ok, ok.p, { type: 'ok', f: 'send', v: { ...ok.v, id: 'id-x', http: 200 } });
      const { key, from, to, h } = history.one('invoke', 'send', ({ v }) => v.key === 'key-2').v;
      history.insertAfter(ok, ok.p, { type: 'invoke', f: 'send', v: { key, from, to, h } });
    },
  },
  {
    title: 'a key has two rows',
    broken: ['idempotency', 'store'],
    tamper: (history) => {
      const row = history.store.messages.find(({ id }) => id === ids[1]);
      if (row !== undefined) history.store.messages.push({ ...row, id: 'id-x', key: null });
    },
  },
  {
    title: 'a key was answered 201 twice',
    broken: ['idempotency'],
    tamper: (history) => {
      const invoke = history.one('invoke', 'send', ({ v }) => v.key === 'key-2');
      const ok = history.one('ok', 'send', ({ v }) => v.key === 'key-2');
      history.insertAfter(ok, ok.p, { type: 'ok', f: 'send', v: ok.v });
      history.insertAfter(ok, ok.p, { type: 'invoke', f: 'send', v: invoke.v });
    },
  },
  {
    title: 'a key was answered 200 the first time',
    broken: ['idempotency'],
    tamper: (history) => {
      history.one('ok', 'send', ({ v }) => v.key === 'key-2').v.http = 200;
    },
  },
  {
    title: 'another body was accepted under a used key',
    broken: ['idempotency'],
    tamper: (history) => {
      const fail = history.one('fail', 'send', ({ v }) => v.twist === true);
      const v = { key: fail.v.key, id: ids[2], http: 200, ms: 1 } as const;
      history.insertAfter(fail, fail.p, { type: 'ok', f: 'send', v });
      history.drop(fail);
    },
  },
  {
    title: 'two frames changed places',
    broken: ['order'],
    tamper: (history) =>
      history.swap(
        history.one('ok', 'message', isAt('bob/d2#1', 1)),
        history.one('ok', 'message', isAt('bob/d2#1', 2)),
      ),
  },
  {
    title: 'a frame came twice on one connection',
    broken: ['order'],
    tamper: (history) => {
      const message = history.one('ok', 'message', isAt('bob/d2#1', 2));
      history.insertAfter(message, message.p, { type: 'ok', f: 'message', v: message.v });
    },
  },
  {
    title: 'a send that was acknowledged earlier comes later',
    broken: ['order'],
    tamper: (history) => {
      // As if the first two sends had been made the other way round, which nobody but their senders can tell.
      const [a, b] = ['key-1', 'key-2'];
      for (const { v } of [...history.all('invoke', 'send'), ...history.all('ok', 'send')]) {
        const key = v.key === a ? b : v.key === b ? a : v.key;
        if (key === v.key) continue;
        v.key = key;
        if ('h' in v) v.h = key === a ? 'hash-1' : 'hash-2';
        if ('id' in v) v.id = `id-${key}`;
      }
    },
  },
  {
    title: 'what was acknowledged came again',
    broken: ['order', 'cursor safety'],
    tamper: (history) => {
      const welcome = history.one('ok', 'welcome', ({ p }) => p === 'bob/d1#2');
      welcome.v.after = 1;
      const v = { id: ids[1], seq: 2, from: 'alice', h: 'hash-2' };
      history.insertAfter(welcome, welcome.p, { type: 'ok', f: 'message', v });
    },
  },
  {
    title: 'caughtUp came before the last of it',
    broken: ['no silent gap'],
    tamper: (history) =>
      history.swap(
        history.one('ok', 'caughtUp', ({ p }) => p === 'bob/fresh#1'),
        history.one('ok', 'message', isAt('bob/fresh#1', 4)),
      ),
  },
  {
    title: 'caughtUp came twice',
    broken: ['no silent gap'],
    tamper: (history) => {
      const caughtUp = history.one('ok', 'caughtUp');
      history.insertAfter(caughtUp, caughtUp.p, { type: 'ok', f: 'caughtUp', v: caughtUp.v });
    },
  },
  {
    title: 'caughtUp is below the lastSeq of the welcome',
    broken: ['no silent gap'],
    tamper: (history) => {
      history.one('ok', 'caughtUp', ({ p }) => p === 'bob/fresh#1').v.seq = 3;
    },
  },
  {
    title: 'a welcome does not know of what was acknowledged',
    broken: ['no silent gap'],
    tamper: (history) => {
      history.one('ok', 'welcome', ({ p }) => p === 'bob/fresh#1').v.lastSeq = 3;
    },
  },
  {
    title: 'a receipt says read before it says delivered',
    broken: ['receipts'],
    tamper: (history) => {
      for (const row of history.store.receipts) {
        if (row.readAt !== null) row.deliveredAt = '2026-11-22T12:00:00.000Z';
      }
      for (const { v } of history.all('ok', 'receipt', (event) => event.v.status === 'delivered'))
        if (v.id === ids[0]) v.at = '2026-11-22T12:00:00.000Z';
    },
  },
  {
    title: 'a receipt is older than its message',
    broken: ['receipts'],
    tamper: (history) => {
      for (const row of history.store.messages) row.createdAt = '2026-11-22T12:00:00.000Z';
    },
  },
  {
    title: 'a receipt says read where nobody read',
    broken: ['receipts'],
    tamper: (history) => {
      for (const row of history.store.receipts) row.readAt ??= row.deliveredAt;
    },
  },
  {
    title: 'a receipt says delivered where nobody acknowledged',
    broken: ['receipts'],
    tamper: (history) => {
      const [at] = history.store.receipts.map(({ deliveredAt }) => deliveredAt);
      history.store.receipts.push({ id: ids[3], user: 'dave', deliveredAt: at ?? '', readAt: null });
    },
  },
  {
    title: 'a receipt is of somebody who did not get the message',
    broken: ['receipts'],
    tamper: (history) => {
      const [row] = history.store.receipts;
      if (row !== undefined) history.store.receipts.push({ ...row, user: 'dave' });
    },
  },
  {
    title: 'there are two receipts of one message',
    broken: ['receipts'],
    tamper: (history) => history.store.receipts.push(...history.store.receipts.slice(0, 1)),
  },
  {
    title: 'an acknowledgement that was answered with ok left no receipt',
    broken: ['receipts'],
    tamper: (history) => {
      const { receipts } = history.store;
      receipts.splice(
        receipts.findIndex(({ id, user }) => id === ids[2] && user === 'carol'),
        1,
      );
      history.drop(history.one('ok', 'receipt', ({ v }) => v.id === ids[2] && v.user === 'carol'));
    },
  },
  {
    title: 'a read that was answered with ok left no receipt',
    broken: ['receipts'],
    tamper: (history) => {
      for (const row of history.store.receipts) row.readAt = null;
      history.drop(history.one('ok', 'receipt', ({ v }) => v.status === 'read'));
      // The operation must be there at least once: another user has read something.
      const ack = history.one('ok', 'ack', ({ p }) => p === 'carol/d1#1');
      history.insertAfter(ack, ack.p, { type: 'invoke', f: 'read', v: { ids: [ids[2]] } });
    },
  },
  {
    title: 'a receipt frame tells another time than the store',
    broken: ['receipts'],
    tamper: (history) => {
      history.one('ok', 'receipt').v.at = '2026-11-22T12:00:00.000Z';
    },
  },
  {
    title: 'a receipt frame comes before the acknowledgement',
    broken: ['receipts'],
    tamper: (history) => {
      const frame = history.one('ok', 'receipt');
      history.drop(frame);
      history.insertAfter(history.one('ok', 'message'), frame.p, { type: 'ok', f: 'receipt', v: frame.v });
    },
  },
  {
    title: 'a message that was acknowledged is not in the store',
    broken: ['store'],
    tamper: (history) => {
      history.store.messages = history.store.messages.filter(({ id }) => id !== ids[3]);
      history.store.entries = history.store.entries.filter(({ user }) => user !== 'dave');
      history.store.inboxes = history.store.inboxes.filter(({ user }) => user !== 'dave');
    },
  },
  {
    title: 'a message is in the inbox of some of its recipients only',
    broken: ['store'],
    tamper: (history) => {
      history.store.entries = history.store.entries.filter(({ user }) => user !== 'dave');
      history.store.inboxes = history.store.inboxes.filter(({ user }) => user !== 'dave');
    },
  },
  {
    title: 'the store has a message that nobody sent',
    broken: ['store'],
    tamper: (history) => {
      const [row] = history.store.messages;
      if (row !== undefined) history.store.messages.push({ ...row, id: 'id-x', key: null, h: 'x' });
    },
  },
  {
    title: 'the store has another content than was sent',
    broken: ['store'],
    tamper: (history) => {
      for (const row of history.store.messages) if (row.id === ids[3]) row.h = 'changed';
    },
  },
  {
    title: 'something came before the welcome',
    broken: ['sessions'],
    tamper: (history) => {
      const frame = history.one('ok', 'receipt', ({ v }) => v.id === ids[2] && v.user === 'carol');
      history.insertAfter(frame, 'alice/d1#2', { type: 'ok', f: 'receipt', v: frame.v });
      history.insertAfter(frame, 'alice/d1#2', {
        type: 'invoke',
        f: 'connect',
        v: { gateway: 'a', ack: 'manual' },
      });
    },
  },
  {
    title: 'something came after the close',
    broken: ['sessions'],
    tamper: (history) => {
      const closed = history.one('info', 'closed', ({ p }) => p === 'bob/d1#1');
      history.insertAfter(closed, closed.p, {
        type: 'info',
        f: 'goodbye',
        v: { reconnectAfterMs: 1 },
      });
    },
  },
  {
    title: 'a connection was welcomed twice',
    broken: ['sessions'],
    tamper: (history) => {
      const welcome = history.one('ok', 'welcome', ({ p }) => p === 'bob/d1#2');
      history.insertAfter(welcome, welcome.p, { type: 'ok', f: 'welcome', v: welcome.v });
    },
  },
  {
    title: 'two connections have one session',
    broken: ['sessions'],
    tamper: (history) => {
      for (const { v } of history.all('ok', 'welcome', ({ p }) => p.startsWith('bob/d1'))) v.session = 'one';
    },
  },
  {
    title: 'something is left when everybody has gone',
    broken: ['clean end'],
    tamper: (history) => {
      history.one('info', 'end').v.presenceFields = 1;
    },
  },
  {
    title: 'an offline list is longer than its cap',
    broken: ['clean end'],
    tamper: (history) => {
      history.one('info', 'end').v.longestList = 1001;
    },
  },
  {
    title: 'a service did not stop cleanly',
    broken: ['clean end'],
    tamper: (history) => {
      for (const exit of history.one('info', 'end').v.exits) exit.code = 1;
    },
  },
  {
    title: 'a process ended unasked',
    broken: ['processes'],
    tamper: (history) => {
      const v = { process: 'ws-gateway 0', exit: { code: 1, signal: null }, isExpected: false };
      history.insertAfter(history.one('ok', 'caughtUp'), 'harness', { type: 'info', f: 'process', v });
    },
  },
  {
    title: 'a service logged what none should',
    broken: ['processes'],
    tamper: (history) => {
      const v = { process: 'send-api 0', line: 'ERR_HTTP_HEADERS_SENT' };
      history.insertAfter(history.one('ok', 'caughtUp'), 'harness', { type: 'info', f: 'process', v });
    },
  },
  {
    title: 'a healthy client was blamed for something',
    broken: ['processes'],
    tamper: (history) => {
      history.one('info', 'closed', ({ p }) => p === 'bob/d1#1').v.code = 1008;
    },
  },
  {
    title: 'a healthy client was cut off without a fault',
    broken: ['processes'],
    tamper: (history) => {
      history.one('info', 'closed', ({ p }) => p === 'bob/d1#1').v.code = 4408;
    },
  },
  {
    title: 'a connection starts above what its device has acknowledged',
    broken: ['cursor safety'],
    tamper: (history) => {
      const welcome = history.one('ok', 'welcome', ({ p }) => p === 'bob/d1#2');
      welcome.v.after = 3;
      history.drop(history.one('ok', 'message', isAt('bob/d1#2', 3)));
    },
  },
  {
    title: 'a connection starts elsewhere than it asked for',
    broken: ['cursor safety'],
    tamper: (history) => {
      history.one('invoke', 'connect', ({ p }) => p === 'bob/d1#2').v.after = 1;
    },
  },
  {
    title: "the store's cursor is behind what was acknowledged",
    broken: ['cursor safety'],
    tamper: (history) => {
      for (const row of history.store.devices) if (row.user === 'carol') row.cursor = 0;
    },
  },
  {
    title: "the store's cursor is beyond what was acknowledged",
    broken: ['cursor safety'],
    tamper: (history) => {
      for (const row of history.store.devices) if (row.user === 'carol') row.cursor = 2;
    },
  },
];

describe('notices when', () => {
  it.each(cases)('$title', ({ broken, tamper }) => {
    const history = new Tampered(story());
    tamper(history);
    expect(history.broken()).toEqual(broken);
  });
});
