import { connectAll, DEVICES, loadOutcome, measureLoad, ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

/** All senders send to one user: one counter row, one connection. */
export const hotRecipient: Scenario = {
  name: 'hot-recipient',
  what: '64 senders to one connected device, as fast as possible',
  group: 'curve',
  systems: ['posthorn', 'hand-made', 'floor'],
  figures: ['sendsPerSecond', 'cpuMs'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, 1);
      return [loadOutcome(await measureLoad(trial, { ...ONE_TO_ONE, devices: 1 }))];
    }),
};

/** One user sends everything. Its send limit is raised, but still counted. */
export const hotSender: Scenario = {
  name: 'hot-sender',
  what: 'one user sends over 64 connections to 1,000 connected devices, as fast as possible',
  group: 'curve',
  systems: ['posthorn', 'hand-made', 'floor'],
  figures: ['sendsPerSecond', 'cpuMs'],
  run: (stores, name, rest) =>
    withTrial(name, stores, { env: { RATE_LIMIT_SENDS: '1000000' } }, rest, async (trial) => {
      await connectAll(trial, DEVICES);
      return [loadOutcome(await measureLoad(trial, { ...ONE_TO_ONE, users: 1 }))];
    }),
};
