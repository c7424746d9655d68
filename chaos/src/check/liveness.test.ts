import { checkHistory } from './check-history';
import { MODEL_OPTIONS, type ModelDevice, ModelWorld } from './model-world.fixture';
import { Tampered } from './tamper.fixture';
import type { Invariant } from './verdict';

const { promptMs, reconcileIntervalMs, window } = MODEL_OPTIONS;

/** bob is connected, alice writes to him; what happens then is the test's. */
function run(then: (world: ModelWorld, bob: ModelDevice) => void): ModelWorld {
  const world = new ModelWorld();
  const bob = world.device('bob', 'd1');
  const alice = world.device('alice', 'd1');
  alice.connect();
  bob.connect();
  world.send('alice', ['alice', 'bob']);
  then(world, bob);
  bob.catchUp();
  bob.read(1);
  alice.catchUp();
  world.finish();
  return world;
}

function broken(world: ModelWorld): Invariant[] {
  return checkHistory(world.events, MODEL_OPTIONS).violations.map(({ invariant }) => invariant);
}

/** Only bob is of interest here: alice's device does not wait. */
function wait(world: ModelWorld, ms: number): void {
  world.device('alice', 'd1').catchUp();
  world.wait(ms);
}

describe('liveness', () => {
  it('is broken by a message that comes too late without a fault', () => {
    expect(broken(run((world) => wait(world, promptMs + 10)))).toEqual(['liveness']);
  });

  it('is broken by a message that does not come at all', () => {
    const world = run((_, bob) => bob.catchUp());
    world.wait(1);
    const history = new Tampered(
      run((inner, bob) => {
        bob.catchUp();
        inner.send('alice', ['bob']);
        wait(inner, promptMs + 10);
        bob.leave('device');
      }),
    );
    expect(broken(world)).toEqual([]);
    expect(history.broken()).toEqual(['liveness']);
  });

  it('allows for the time within which a message is prompt', () => {
    expect(broken(run((world) => wait(world, promptMs - 10)))).toEqual([]);
  });

  it('is put off by a fault until reconcile has run after it', () => {
    const late = (ms: number): ModelWorld =>
      run((world) => {
        world.fault('F', () => wait(world, 5_000));
        wait(world, ms);
      });
    expect(broken(late(reconcileIntervalMs + 1_900))).toEqual([]);
    expect(broken(late(reconcileIntervalMs + 2_100))).toEqual(['liveness']);
  });

  it('is put off by one fault after the other', () => {
    const world = run((inner) => {
      for (const id of ['F1', 'F2', 'F3']) inner.fault(id, () => wait(inner, 2_000));
      wait(inner, reconcileIntervalMs);
    });
    expect(broken(world)).toEqual([]);
  });

  it('does not count from before the device is welcomed', () => {
    const world = run((inner, bob) => {
      bob.leave('device');
      wait(inner, 60_000);
    });
    expect(broken(world)).toEqual([]);
  });

  it('does not count what is on its way when the device leaves', () => {
    const world = run((inner, bob) => {
      wait(inner, promptMs - 10);
      bob.leave('device');
      wait(inner, 60_000);
    });
    expect(broken(world)).toEqual([]);
  });

  it('does not count on a connection that a newer one of the device takes over', () => {
    const world = run((inner, bob) => {
      bob.connect();
      bob.catchUp();
      wait(inner, 60_000);
    });
    // The takeover reached the older one late.
    const history = new Tampered(world);
    const closed = history.one('info', 'closed', ({ p }) => p === 'bob/d1#1');
    history.drop(closed);
    history.insertAfter(history.one('info', 'phase'), 'bob/d1#1', { type: 'info', f: 'closed', v: closed.v });
    expect(history.broken()).toEqual([]);
  });

  it('does not count while the device does not read, and counts from then on', () => {
    const deaf = (ms: number): ModelWorld =>
      run((world) => {
        world.record('bob/d1#1', { type: 'info', f: 'deaf', v: { isDeaf: true } });
        wait(world, 60_000);
        world.record('bob/d1#1', { type: 'info', f: 'deaf', v: { isDeaf: false } });
        wait(world, ms);
      });
    expect(broken(deaf(promptMs - 10))).toEqual([]);
    expect(broken(deaf(promptMs + 10))).toEqual(['liveness']);
  });

  it('does not count what the window holds back', () => {
    const world = run((inner, bob) => {
      for (let nth = 0; nth < window; nth++) inner.send('alice', ['bob']);
      bob.deliver();
      wait(inner, 60_000);
    });
    expect(broken(world)).toEqual([]);
  });

  it('counts from the acknowledgement that opens the window', () => {
    const world = run((inner, bob) => {
      for (let nth = 0; nth < window; nth++) inner.send('alice', ['bob']);
      bob.deliver();
      wait(inner, 60_000);
      bob.ack('done', 1);
      wait(inner, promptMs + 10);
    });
    expect(broken(world)).toEqual(['liveness']);
  });

  it('does not count what nobody was told to be accepted', () => {
    const world = new ModelWorld();
    const [alice, bob] = [world.device('alice', 'd1'), world.device('bob', 'd1')];
    alice.connect();
    bob.connect();
    world.send('alice', ['bob'], 'stored, but not told');
    world.wait(60_000);
    world.send('alice', ['bob']);
    bob.catchUp();
    bob.read(1);
    world.finish();
    const verdict = checkHistory(world.events, MODEL_OPTIONS);
    expect(verdict).toMatchObject({ verdict: 'valid', counts: { acknowledged: 1, recovered: 1 } });
  });

  it('tells the longest delivery to somebody who only had to wait for the 201', () => {
    const world = run((inner, bob) => {
      wait(inner, 100);
      bob.catchUp();
      bob.leave('device');
      inner.send('alice', ['bob']);
      wait(inner, 5_000);
    });
    expect(checkHistory(world.events, MODEL_OPTIONS).counts.worstDeliveryMs).toBeCloseTo(100, 0);
  });
});
