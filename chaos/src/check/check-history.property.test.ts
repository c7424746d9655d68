import fc from 'fast-check';
import type { EventOf } from '../history/event-of';
import { checkHistory } from './check-history';
import { MODEL_OPTIONS } from './model-world.fixture';
import { randomRun } from './random-run.fixture';
import { Tampered } from './tamper.fixture';
import type { Invariant } from './verdict';

const RUNS = 60;

/** A way to break a history somewhere. */
interface Breakage {
  name: string;
  breaks: Invariant;
  /** Does it at a place that chance picks; false where the history has no such place. */
  tamper: (history: Tampered, pick: <T>(items: readonly T[]) => T | undefined) => boolean;
}

type Message = EventOf<'ok', 'message'>;

/** Deliveries to devices that are answerable for all of them. */
function manual(history: Tampered): Message[] {
  return history.all('ok', 'message', ({ p }) => !p.includes('/auto'));
}

/** Each delivery with the one that follows it on its connection. */
function followed(history: Tampered): [Message, Message][] {
  const last = new Map<string, Message>();
  const pairs: [Message, Message][] = [];
  for (const message of history.all('ok', 'message')) {
    const before = last.get(message.p);
    if (before !== undefined) pairs.push([before, message]);
    last.set(message.p, message);
  }
  return pairs;
}

const breakages: Breakage[] = [
  {
    name: 'a message is dropped on all connections of a device',
    breaks: 'no loss',
    tamper: (history, pick) => {
      const acknowledged = new Set(history.all('ok', 'send').map(({ v }) => v.id));
      const skippers = new Set(
        history.all('invoke', 'connect', ({ v }) => v.after !== undefined).map(({ p }) => p.split('#')[0]),
      );
      const candidates = manual(history).filter(
        ({ p, v }) => acknowledged.has(v.id) && !skippers.has(p.split('#')[0]),
      );
      const chosen = pick(candidates);
      if (chosen === undefined) return false;
      const [device] = chosen.p.split('#');
      history.drop(
        ...history.all('ok', 'message', ({ p, v }) => p.split('#')[0] === device && v.id === chosen.v.id),
      );
      return true;
    },
  },
  {
    name: 'a message that others follow is dropped',
    breaks: 'order',
    tamper: (history, pick) => {
      const pair = pick(followed(history));
      if (pair !== undefined) history.drop(pair[0]);
      return pair !== undefined;
    },
  },
  {
    name: 'what a device has acknowledged and was told is sent again',
    breaks: 'order',
    tamper: (history, pick) => {
      const deviceOf = ({ p }: { p: string }): string | undefined => p.split('#')[0];
      // A device that connects with `after` acknowledges what it never got.
      const knownTo = (ack: { p: string; v: { seq: number } }) =>
        history.all(
          'ok',
          'message',
          (message) => deviceOf(message) === deviceOf(ack) && message.v.seq <= ack.v.seq,
        )[0];
      const ack = pick(history.all('ok', 'ack', (each) => knownTo(each) !== undefined));
      const known = ack && knownTo(ack);
      if (ack === undefined || known === undefined) return false;
      const fresh = history.one('info', 'phase', ({ v }) => v.name === 'fresh');
      history.insertAfter(fresh, ack.p, { type: 'ok', f: 'message', v: known.v });
      return true;
    },
  },
  {
    name: 'two frames change places',
    breaks: 'order',
    tamper: (history, pick) => {
      const pair = pick(followed(history));
      if (pair !== undefined) history.swap(...pair);
      return pair !== undefined;
    },
  },
  {
    name: 'a message goes to somebody else instead',
    breaks: 'no misdelivery',
    tamper: (history, pick) => {
      const recipients = new Map(history.store.messages.map(({ id, to }) => [id, to]));
      const message = pick(history.all('ok', 'message', ({ v }) => !recipients.get(v.id)?.includes('carol')));
      const welcome = history.one('ok', 'welcome', ({ p }) => p === 'carol/fresh#1');
      if (message === undefined) return false;
      history.insertAfter(welcome, welcome.p, { type: 'ok', f: 'message', v: message.v });
      return true;
    },
  },
  {
    name: 'a content changes on the way',
    breaks: 'no phantom',
    tamper: (history, pick) => {
      const message = pick(history.all('ok', 'message'));
      if (message !== undefined) message.v.h = 'changed';
      return message !== undefined;
    },
  },
  {
    name: 'a message comes from nowhere',
    breaks: 'no phantom',
    tamper: (history, pick) => {
      const message = pick(history.all('ok', 'message'));
      if (message === undefined) return false;
      const v = { ...message.v, id: 'id-x', h: 'x', seq: message.v.seq + 1 };
      history.insertAfter(message, message.p, { type: 'ok', f: 'message', v });
      return true;
    },
  },
  {
    name: 'a message has another place on one device',
    breaks: 'sequence agreement',
    tamper: (history, pick) => {
      const message = pick(history.all('ok', 'message'));
      if (message !== undefined) message.v.seq++;
      return message !== undefined;
    },
  },
  {
    name: 'an entry of the store is missing',
    breaks: 'sequence agreement',
    tamper: (history, pick) => {
      const entry = pick(history.store.entries);
      history.store.entries = history.store.entries.filter((other) => other !== entry);
      return entry !== undefined;
    },
  },
  {
    name: 'a fan-out is done by half',
    breaks: 'store',
    tamper: (history, pick) => {
      const entry = pick(history.store.entries);
      history.store.entries = history.store.entries.filter((other) => other !== entry);
      return entry !== undefined;
    },
  },
  {
    name: 'the row of what was acknowledged is missing',
    breaks: 'store',
    tamper: (history, pick) => {
      const ok = pick(history.all('ok', 'send'));
      history.store.messages = history.store.messages.filter(({ id }) => id !== ok?.v.id);
      return ok !== undefined;
    },
  },
  {
    name: 'a message is stored twice',
    breaks: 'idempotency',
    tamper: (history, pick) => {
      const row = pick(history.store.messages);
      if (row !== undefined) history.store.messages.push({ ...row, id: 'id-x', key: null });
      return row !== undefined;
    },
  },
  {
    name: 'caughtUp says more than there was',
    breaks: 'no silent gap',
    tamper: (history, pick) => {
      const caughtUp = pick(history.all('ok', 'caughtUp'));
      if (caughtUp !== undefined) caughtUp.v.seq += 100;
      return caughtUp !== undefined;
    },
  },
  {
    name: 'caughtUp comes with the welcome, before what waited',
    breaks: 'no silent gap',
    tamper: (history, pick) => {
      const waited = new Map(
        history.all('ok', 'welcome', ({ v }) => v.lastSeq > v.after).map((welcome) => [welcome.p, welcome]),
      );
      const caughtUp = pick(history.all('ok', 'caughtUp', ({ p }) => waited.has(p)));
      const welcome = caughtUp && waited.get(caughtUp.p);
      if (caughtUp === undefined || welcome === undefined) return false;
      history.drop(caughtUp);
      history.insertAfter(welcome, caughtUp.p, { type: 'ok', f: 'caughtUp', v: caughtUp.v });
      return true;
    },
  },
  {
    name: 'a receipt is forged',
    breaks: 'receipts',
    tamper: (history, pick) => {
      const asked = new Set(
        history.all('invoke', 'read').flatMap(({ p, v }) => v.ids.map((id) => `${p.split('/')[0]} ${id}`)),
      );
      const row = pick(history.store.receipts.filter(({ id, user }) => !asked.has(`${user} ${id}`)));
      if (row !== undefined) row.readAt = row.deliveredAt;
      return row !== undefined;
    },
  },
  {
    name: 'a receipt is missing',
    breaks: 'receipts',
    tamper: (history, pick) => {
      const row = pick(history.store.receipts.filter(({ user }) => user !== 'dave'));
      history.store.receipts = history.store.receipts.filter((other) => other !== row);
      return row !== undefined;
    },
  },
  {
    name: 'a receipt frame is shown to somebody else',
    breaks: 'no misdelivery',
    tamper: (history, pick) => {
      const frame = pick(history.all('ok', 'receipt', ({ p }) => !p.startsWith('carol/')));
      const caughtUp = history.one('ok', 'caughtUp', ({ p }) => p === 'carol/fresh#1');
      if (frame === undefined) return false;
      history.insertAfter(caughtUp, caughtUp.p, { type: 'ok', f: 'receipt', v: frame.v });
      return true;
    },
  },
  {
    name: 'a frame comes after the close',
    breaks: 'sessions',
    tamper: (history, pick) => {
      const closed = pick(history.all('info', 'closed'));
      const caughtUp = { type: 'ok', f: 'caughtUp', v: { seq: 0 } } as const;
      if (closed !== undefined) history.insertAfter(closed, closed.p, caughtUp);
      return closed !== undefined;
    },
  },
  {
    name: 'a cursor has moved by itself',
    breaks: 'cursor safety',
    tamper: (history, pick) => {
      const welcome = pick(history.all('ok', 'welcome', ({ p }) => !p.includes('/auto')));
      if (welcome !== undefined) welcome.v.after += 100;
      return welcome !== undefined;
    },
  },
  {
    name: 'a cursor has gone back',
    breaks: 'cursor safety',
    tamper: (history, pick) => {
      const acked = new Set(history.all('ok', 'ack', ({ v }) => v.seq > 0).map(({ p }) => p.split('#')[0]));
      const row = pick(history.store.devices.filter(({ user, device }) => acked.has(`${user}/${device}`)));
      if (row !== undefined) row.cursor = 0;
      return row !== undefined;
    },
  },
];

describe('the check of random histories', () => {
  it('finds nothing wrong with what a right system does', () => {
    fc.assert(
      fc.property(randomRun, (world) => {
        expect(checkHistory(world.events, MODEL_OPTIONS)).toMatchObject({
          verdict: 'valid',
          violations: [],
          doubts: [],
        });
      }),
      { numRuns: RUNS },
    );
  });

  it.each(breakages)('notices anywhere when $name', ({ breaks, tamper }) => {
    let tampered = 0;
    fc.assert(
      fc.property(randomRun, fc.nat(), (world, place) => {
        const history = new Tampered(world);
        if (!tamper(history, (items) => items[place % Math.max(1, items.length)])) return;
        tampered++;
        expect(history.broken()).toContain(breaks);
      }),
      { numRuns: RUNS },
    );
    // A history without a place for it says nothing: most of them must have one.
    expect(tampered).toBeGreaterThan(RUNS / 2);
  });
});
