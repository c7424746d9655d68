import { checkHistory } from './check-history';
import { MODEL_OPTIONS, type ModelDevice, ModelWorld } from './model-world.fixture';
import { Tampered } from './tamper.fixture';

interface Actors {
  world: ModelWorld;
  alice: ModelDevice;
  bob: ModelDevice;
}

/** What is unusual, and right all the same. */
interface Case {
  title: string;
  play: (actors: Actors) => void;
  /** What the model does not do by itself. */
  tamper?: (history: Tampered) => void;
}

const cases: Case[] = [
  {
    title: 'a message comes before its sender has the 201',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.deliver();
    },
    tamper: (history) => {
      const ok = history.all('ok', 'send').at(-1);
      const message = history.one('ok', 'message', ({ p, v }) => p === 'bob/d1#1' && v.seq === 2);
      if (ok === undefined) throw new Error('nothing was sent');
      history.drop(ok);
      history.insertAfter(message, ok.p, { type: 'ok', f: 'send', v: ok.v });
    },
  },
  {
    title: 'a message without an answer was stored, and comes',
    play: ({ world }) => void world.send('alice', ['bob'], 'stored, but not told'),
  },
  {
    title: 'a message without an answer was not stored',
    play: ({ world }) => void world.send('alice', ['bob'], 'lost'),
  },
  {
    title: 'a send is refused for its rate, and accepted later',
    play: ({ world }) => world.attempt(world.send('alice', ['bob'], 'refused'), 'created'),
  },
  {
    title: 'the answer to a twisted send is lost',
    play: ({ world }) => world.twist(world.send('alice', ['bob'])),
    tamper: (history) => {
      const { p, v, ...rest } = history.one('fail', 'send');
      const fail = history.one('fail', 'send');
      history.insertAfter(fail, p, { type: 'info', f: 'send', v: { key: v.key, ms: v.ms, error: rest.f } });
      history.drop(fail);
    },
  },
  {
    title: 'a device asks to begin later than it has read',
    play: ({ world, bob }) => {
      for (let nth = 0; nth < 3; nth++) world.send('alice', ['bob']);
      bob.connect(3);
    },
  },
  {
    title: 'a device asks for what it has acknowledged',
    play: ({ bob }) => {
      bob.connect(0);
      bob.deliver();
    },
  },
  {
    title: 'a device asks to begin beyond the inbox, and its cursor counts',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.connect(7);
    },
  },
  {
    title: 'a dying connection of a device with ack=auto swallows a message',
    play: ({ world }) => {
      const auto = world.device('bob', 'auto', 'auto');
      auto.connect();
      auto.deliver();
      world.send('alice', ['bob']);
      auto.deliver();
      auto.leave('device', 1006);
    },
    tamper: (history) =>
      history.drop(history.one('ok', 'message', ({ p, v }) => p === 'bob/auto#1' && v.seq === 2)),
  },
  {
    title: 'an acknowledgement is committed, and the connection breaks before its ok',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.deliver();
      bob.ack('done, but not told');
    },
  },
  {
    title: 'what was not acknowledged comes again',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.deliver();
      bob.connect();
      bob.deliver();
    },
  },
  {
    title: 'caughtUp is beyond the lastSeq of the welcome',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.connect();
      world.send('alice', ['bob']);
      bob.deliver();
    },
    tamper: (history) => {
      const caughtUp = history.one('ok', 'caughtUp', ({ p }) => p === 'bob/d1#2');
      const last = history.one('ok', 'message', ({ p, v }) => p === 'bob/d1#2' && v.seq === 3);
      history.drop(caughtUp);
      history.insertAfter(last, caughtUp.p, { type: 'ok', f: 'caughtUp', v: { seq: 3 } });
    },
  },
  {
    title: 'a message is read before it is acknowledged',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.deliver();
      bob.read(2);
    },
  },
  {
    title: 'a receipt frame does not come',
    play: ({ world, bob }) => {
      world.send('alice', ['bob']);
      bob.catchUp();
    },
    tamper: (history) => history.drop(history.all('ok', 'receipt').at(-1) ?? history.one('ok', 'receipt')),
  },
  {
    title: 'a client is cut off during a fault, or when it does not read',
    play: ({ world, bob, alice }) => {
      world.fault('F', () => bob.leave('server', 1006));
      world.record('alice/d1#1', { type: 'info', f: 'deaf', v: { isDeaf: true } });
      alice.leave('server', 4413);
    },
  },
  {
    title: 'a process ends as it was told',
    play: ({ world }) => {
      const v = {
        process: 'ws-gateway 0',
        exit: { code: null, signal: 'SIGKILL' },
        isExpected: true,
      };
      world.record('harness', { type: 'info', f: 'process', v });
    },
  },
  {
    title: 'a connect is refused',
    play: ({ world }) => {
      const [p, v] = ['bob/d1#99', { gateway: 'a', ack: 'manual' }] as const;
      world.record(p, { type: 'invoke', f: 'connect', v });
      world.record(p, { type: 'fail', f: 'connect', v: { http: 503, ms: 1 } });
    },
  },
];

describe('finds nothing wrong when', () => {
  it.each(cases)('$title', ({ play, tamper }) => {
    const world = new ModelWorld();
    const [alice, bob] = [world.device('alice', 'd1'), world.device('bob', 'd1')];
    alice.connect();
    bob.connect();
    world.send('alice', ['bob']);
    bob.catchUp();
    bob.read(1);
    play({ world, alice, bob });
    world.finish();
    const history = new Tampered(world);
    tamper?.(history);
    expect(checkHistory(history.events, MODEL_OPTIONS)).toMatchObject({
      verdict: 'valid',
      violations: [],
      doubts: [],
    });
  });
});
