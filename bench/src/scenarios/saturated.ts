import { systemNames } from '../systems/start-system';
import { connectAll, DEVICES, loadOutcome, measureLoad, ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

/** The highest throughput, and the cost of each message. */
export const saturated: Scenario = {
  name: 'saturated',
  what: '64 senders to 1,000 connected devices, one to one, as fast as possible',
  group: 'comparison',
  systems: systemNames,
  figures: ['sendsPerSecond', 'cpuMs', 'frameP50', 'frameP99'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, DEVICES);
      return [loadOutcome(await measureLoad(trial, ONE_TO_ONE))];
    }),
};
