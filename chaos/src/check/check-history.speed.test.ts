import { checkHistory } from './check-history';
import { MODEL_OPTIONS, ModelWorld } from './model-world.fixture';

const USERS = Array.from({ length: 20 }, (_, index) => `u${index}`);
const EVENTS = 20_000;
const TIMES = 4;
/** Four times the events take about four times as long; what looks at each pair of them takes sixteen times. */
const MAX_RATIO = 9;
const TRIES = 5;

/** Two devices a user that come and go; nobody lets go of more than a window. */
function runOf(events: number): ModelWorld {
  const world = new ModelWorld();
  const devices = USERS.flatMap((user) => ['d1', 'd2'].map((name) => world.device(user, name)));
  for (const device of devices) device.connect();
  for (let round = 0; world.events.length < events; round++) {
    const pick = (nth: number): string => USERS[(round * 7 + nth) % USERS.length] ?? 'u0';
    world.send(pick(0), [pick(1), pick(2), pick(5)]);
    for (const [nth, device] of devices.entries()) {
      if ((round + nth) % 3 !== 0) continue;
      if ((round + nth) % 40 === 0) device.connect();
      device.deliver();
      device.ack();
      device.read(device.cursor);
    }
  }
  world.finish();
  return world;
}

describe('the check', () => {
  it('takes no longer for each event of a long history than of a short one', () => {
    const [short, long] = [runOf(EVENTS), runOf(TIMES * EVENTS)];
    expect(long.events.length / short.events.length).toBeCloseTo(TIMES, 1);
    // Processor time, and the best of a few: the machine may be busy with other things.
    let [ofShort, ofLong] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let nth = 0; nth < TRIES; nth++) {
      ofShort = Math.min(ofShort, cpuMsOf(short));
      ofLong = Math.min(ofLong, cpuMsOf(long));
      // The first run of each compiles what it needs.
      if (nth > 0 && ofLong < MAX_RATIO * ofShort) break;
    }
    expect(ofLong / ofShort).toBeLessThan(MAX_RATIO);
  });
});

function cpuMsOf({ events }: ModelWorld): number {
  const before = process.cpuUsage();
  expect(checkHistory(events, MODEL_OPTIONS)).toMatchObject({ verdict: 'valid', violations: [] });
  return process.cpuUsage(before).user / 1_000;
}
