import { systemNames } from '../systems/start-system';
import { cpuPer } from './cpu-meter';
import { perEach } from './load';
import type { Scenario } from './scenario';
import { type Trial, withTrial } from './trial';

const WARM_UP = 2_000;
const CONNECTS = 2_000;
const PARALLEL = 64;
const BOUND_MS = 60_000;

/** The cost of a connect. */
export const connect: Scenario = {
  name: 'connect',
  what: '2,000 devices connect, 64 at a time, with a token each',
  group: 'comparison',
  systems: systemNames,
  figures: ['connectsPerSecond', 'cpuMsPerConnect'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectMany(trial, 0, WARM_UP);
      const end = trial.meter.start();
      const { ms } = await connectMany(trial, WARM_UP, CONNECTS);
      const cpu = end();
      const cpuMsPerConnect = cpuPer(cpu, CONNECTS);
      return [
        {
          figures: {
            connectsPerSecond: (CONNECTS * 1_000) / ms,
            ...(cpuMsPerConnect === undefined ? {} : { cpuMsPerConnect }),
          },
          cpu: perEach(cpu, CONNECTS),
          account: null,
          receipts: null,
        },
      ];
    }),
};

async function connectMany({ driver }: Trial, from: number, count: number): Promise<{ ms: number }> {
  const outcome = await driver.call('connect', { from, count, parallel: PARALLEL, boundMs: BOUND_MS });
  if (outcome.ready < count) throw new Error(`connects were refused: ${JSON.stringify(outcome.failures)}`);
  return outcome;
}
