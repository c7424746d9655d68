import fc from 'fast-check';
import { type FrameFate, type ModelDevice, ModelWorld, type SendFate } from './model-world.fixture';

const USERS = ['alice', 'bob', 'carol'];

/** One step of a run that does something to the model. */
type Step = (world: ModelWorld, run: RunState) => void;

/** What steps need to know about earlier steps. */
interface RunState {
  sent: ReturnType<ModelWorld['send']>[];
}

const user = fc.constantFrom(...USERS);
const device = fc.record({ user, name: fc.constantFrom('d1', 'd2', 'auto') });
const sendFate = fc.constantFrom<SendFate[]>(
  'created',
  'created',
  'created',
  'lost',
  'stored, but not told',
  'refused',
);
const frameFate = fc.constantFrom<FrameFate[]>('done', 'done', 'done', 'done, but not told', 'lost');
const ms = fc.integer({ min: 0, max: 100 });

/** Steps; common ones are more frequent. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ from: user, to: fc.subarray([...USERS, 'dave'], { minLength: 1 }), fate: sendFate })
      .map(
        ({ from, to, fate }): Step =>
          (world, { sent }) =>
            sent.push(world.send(from, to, fate)),
      ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ nth: fc.nat(), fate: sendFate }).map(
      ({ nth, fate }): Step =>
        (world, { sent }) => {
          const body = sent[nth % Math.max(1, sent.length)];
          if (body !== undefined) world.attempt(body, fate);
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat().map(
      (nth): Step =>
        (world, { sent }) => {
          const body = sent[nth % Math.max(1, sent.length)];
          if (body !== undefined) world.twist(body);
        },
    ),
  },
  { weight: 4, arbitrary: withDevice(fc.constant(null), (it) => it.connect()) },
  { weight: 1, arbitrary: withDevice(fc.nat({ max: 6 }), (it, after) => it.connect(after)) },
  { weight: 8, arbitrary: withDevice(fc.integer({ min: 1, max: 5 }), (it, most) => it.deliver(most)) },
  { weight: 5, arbitrary: withDevice(frameFate, (it, fate) => it.ack(fate)) },
  { weight: 2, arbitrary: withDevice(fc.nat({ max: 6 }), (it, seq) => it.ack('done', seq)) },
  {
    weight: 3,
    arbitrary: withDevice(fc.tuple(fc.integer({ min: 1, max: 6 }), frameFate), (it, [seq, fate]) =>
      it.read(seq, fate),
    ),
  },
  { weight: 2, arbitrary: withDevice(fc.constantFrom('device', 'server'), (it, by) => it.leave(by, 1012)) },
  {
    weight: 1,
    arbitrary: ms.map(
      (length): Step =>
        (world) =>
          world.fault('F', () => {
            for (const it of world.devices.values()) it.deliver();
            world.wait(length);
          }),
    ),
  },
);

function withDevice<T>(
  values: fc.Arbitrary<T>,
  act: (device: ModelDevice, value: T) => void,
): fc.Arbitrary<Step> {
  return fc.tuple(device, values).map(
    ([{ user: owner, name }, value]): Step =>
      (world) =>
        act(deviceOf(world, owner, name), value),
  );
}

function deviceOf(world: ModelWorld, owner: string, name: string): ModelDevice {
  return world.device(owner, name, name === 'auto' ? 'auto' : 'manual');
}

/**
 * A valid run of the model with random steps. At the beginning each operation succeeds once, and at the end all
 * devices connect.
 */
export const randomRun: fc.Arbitrary<ModelWorld> = fc
  .array(step, { minLength: 10, maxLength: 120 })
  .map((steps) => {
    const world = new ModelWorld();
    const run: RunState = { sent: [] };
    for (const name of USERS) deviceOf(world, name, 'd1').connect();
    run.sent.push(world.send('alice', [...USERS]), world.send('bob', ['alice', 'bob']));
    for (const name of USERS) {
      deviceOf(world, name, 'd1').catchUp();
      deviceOf(world, name, 'd1').read(1);
    }
    for (const next of steps) next(world, run);
    world.finish();
    return world;
  });
