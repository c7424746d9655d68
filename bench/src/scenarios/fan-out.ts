import { systemNames } from '../systems/start-system';
import { connectAll, DEVICES, loadOutcome, measureLoad } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

const SENDERS = 4;
const USERS = 64;
const MAX_MESSAGES = 2_000;

/** One message to many recipients. */
export const fanOut: Scenario = {
  name: 'fan-out',
  what: '4 senders send each message to all of 1,000 connected devices',
  group: 'comparison',
  systems: systemNames,
  figures: ['deliveriesPerSecond', 'cpuMsPerDelivery', 'frameP50'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, DEVICES);
      const plan = {
        senders: SENDERS,
        users: USERS,
        devices: DEVICES,
        isToAll: true,
        maxMessages: MAX_MESSAGES,
      };
      return [loadOutcome(await measureLoad(trial, plan))];
    }),
};
