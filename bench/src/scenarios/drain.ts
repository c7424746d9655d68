import { cpuPer } from './cpu-meter';
import { perEach, receiptsOf } from './load';
import type { Scenario } from './scenario';
import { type Outcome, type Trial, withTrial } from './trial';

const DEVICES = 10;
const WAITING = 1_000;
/** One drain takes a third of a second. After fewer warm-ups, half of the measured time would be Node's compilation. */
const WARM_UPS = 6;
const SENDERS = 16;
const USERS = 64;
const BOUND_MS = 60_000;

/** What returning devices get. */
export const drain: Scenario = {
  name: 'drain',
  what: '10 devices reconnect at once, and 1,000 messages wait for each',
  group: 'comparison',
  systems: ['posthorn', 'hand-made', 'floor'],
  figures: ['drainPerSecond', 'recordedPerSecond', 'cpuMsPerDelivery'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      for (let nth = 0; nth < WARM_UPS; nth++) await drainOnce(trial);
      return [await drainOnce(trial)];
    }),
};

/** Sends while the devices are away, then connects them. */
export async function drainOnce({ driver, meter, system }: Trial, waiting = WAITING): Promise<Outcome> {
  await driver.call('send', {
    senders: SENDERS,
    users: USERS,
    devices: DEVICES,
    isToAll: true,
    isOffline: true,
    ms: BOUND_MS,
    maxMessages: waiting,
  });
  const before = await system.countReceipts();
  const end = meter.start();
  const startedAt = performance.now();
  const draining = driver.call('drain', { from: 0, count: DEVICES, parallel: DEVICES, boundMs: BOUND_MS });
  const after = await receiptsOf(system, before, DEVICES * waiting);
  const recordedMs = performance.now() - startedAt;
  const { account, ms } = await draining;
  const cpu = end();
  await driver.call('disconnect');
  const cpuMsPerDelivery = cpuPer(cpu, account.arrived);
  return {
    figures: {
      drainPerSecond: (account.arrived * 1_000) / ms,
      ...(after === null ? {} : { recordedPerSecond: (account.arrived * 1_000) / Math.max(ms, recordedMs) }),
      ...(cpuMsPerDelivery === undefined ? {} : { cpuMsPerDelivery }),
    },
    cpu: perEach(cpu, account.arrived),
    account,
    receipts: after === null || before === null ? null : after - before,
  };
}
