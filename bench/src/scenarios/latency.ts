import { systemNames } from '../systems/start-system';
import { connectAll, DEVICES, loadOutcome, measureLoad, ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

const PER_SECOND = 500;

/** How long a message takes, at a rate that every system can handle. */
export const latency: Scenario = {
  name: 'latency',
  what: '500 sends per second, whether or not answers come; times count from the moment each send was due',
  group: 'comparison',
  systems: systemNames,
  figures: ['frameP50', 'frameP99', 'postP50', 'postP99', 'cpuMs'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, DEVICES);
      return [loadOutcome(await measureLoad(trial, { ...ONE_TO_ONE, perSecond: PER_SECOND }))];
    }),
};
