import { checkHistory } from './check-history';
import { MODEL_OPTIONS, ModelWorld } from './model-world.fixture';
import { Tampered } from './tamper.fixture';

/** As little as a valid run can be. */
function run(): ModelWorld {
  const world = new ModelWorld();
  const [alice, bob] = [world.device('alice', 'd1'), world.device('bob', 'd1')];
  alice.connect();
  bob.connect();
  world.send('alice', ['bob']);
  bob.catchUp();
  bob.read(1);
  world.fault('F1', () => world.wait(1));
  world.finish();
  return world;
}

describe('a run proves nothing when', () => {
  const doubt = (tamper: (history: Tampered) => void): [string, string[]] => {
    const history = new Tampered(run());
    tamper(history);
    const { verdict, doubts } = checkHistory(history.events, MODEL_OPTIONS);
    return [verdict, doubts];
  };

  it('(it does prove something when nothing is missing)', () => {
    expect(doubt(() => undefined)).toEqual(['valid', []]);
  });

  it.each([
    ['no device read anything', "there is no 'ok read' at all", 'read'],
    ['no receipt came', "there is no 'ok receipt' at all", 'receipt'],
  ] as const)('%s', (_, expected, f) => {
    expect(doubt((history) => history.drop(...history.all('ok', f)))).toEqual(['unknown', [expected]]);
  });

  it('nothing was done at all', () => {
    const { verdict, doubts } = checkHistory([], MODEL_OPTIONS);
    expect(verdict).toBe('unknown');
    expect(doubts).toContain("there is no 'ok send' at all");
    expect(doubts).toContain('the store was not read');
  });

  it('a fault had no effect', () => {
    const tamper = (history: Tampered): void => {
      const { v } = history.one('info', 'fault', (event) => event.v.phase === 'end');
      if (v.phase === 'end') v.effect = null;
    };
    expect(doubt(tamper)).toEqual(['unknown', ['1 of 1 faults had no effect that was seen: F1']]);
  });

  it('a fault never ended', () => {
    const tamper = (history: Tampered): void =>
      history.drop(history.one('info', 'fault', ({ v }) => v.phase === 'end'));
    expect(doubt(tamper)).toEqual(['unknown', ['1 of 1 faults had no effect that was seen: F1']]);
  });

  it('the final phase was not reached', () => {
    const [verdict, doubts] = doubt((history) =>
      history.drop(history.one('info', 'phase', ({ v }) => v.name === 'final')),
    );
    expect(verdict).toBe('unknown');
    expect(doubts).toContain('the final phase was not reached, or did not end');
  });

  it('a device did not catch up in the end', () => {
    const tamper = (history: Tampered): void => {
      const final = history.one('info', 'phase', ({ v }) => v.name === 'final');
      const closed = history.one('info', 'closed', ({ p }) => p === 'alice/d1#1');
      history.drop(closed);
      history.insertAfter(final, closed.p, { type: 'info', f: 'closed', v: closed.v });
    };
    expect(doubt(tamper)).toEqual(['unknown', ['alice/d1 did not catch up in the end']]);
  });

  it('a user has no fresh device', () => {
    expect(doubt((history) => history.dropProcess('alice/fresh#1'))).toEqual([
      'unknown',
      ['alice has no fresh device'],
    ]);
  });

  it('the store or the end was not looked at', () => {
    expect(doubt((history) => history.drop(history.one('info', 'store')))).toEqual([
      'unknown',
      ['the store was not read'],
    ]);
    expect(doubt((history) => history.drop(history.one('info', 'end')))).toEqual([
      'unknown',
      ['it was not looked at what is left at the end'],
    ]);
  });

  it('the harness wrote what makes no sense', () => {
    const ok = { type: 'ok', f: 'send', v: { key: 'key-1', id: 'id-key-1', http: 200, ms: 1 } } as const;
    const [, doubts] = doubt((history) => {
      history.insertAfter(history.one('ok', 'welcome'), 'sender-x#1', ok);
      history.insertAfter(history.one('ok', 'welcome'), 'nonsense', {
        type: 'ok',
        f: 'caughtUp',
        v: { seq: 0 },
      });
    });
    expect(doubts).toEqual([
      expect.stringMatching(/ends a send that sender-x#1 did not begin/),
      expect.stringMatching(/is of nonsense, which is no connection's name/),
    ]);
  });
});
