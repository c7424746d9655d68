import { connectAll, DEVICES, loadOutcome, measureLoad } from './load';
import type { Scenario } from './scenario';
import { type Outcome, withTrial } from './trial';

const RECIPIENTS = [1, 10, 100, 1_000];
const SENDERS = 16;
const USERS = 1_024;
/** The most deliveries of one measurement, because each is accounted for. */
const MAX_DELIVERIES = 2_000_000;
const MAX_MESSAGES = 200_000;

/** The cost of one more recipient. */
export const recipients: Scenario = {
  name: 'recipients',
  what: '16 senders send messages to 1, 10, 100 and 1,000 connected devices each',
  group: 'curve',
  systems: ['posthorn', 'floor'],
  figures: ['deliveriesPerSecond', 'cpuMsPerDelivery'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, DEVICES);
      const outcomes: Outcome[] = [];
      for (const count of RECIPIENTS) {
        const measured = await measureLoad(trial, {
          senders: SENDERS,
          users: USERS,
          devices: count,
          isToAll: true,
          maxMessages: Math.min(MAX_MESSAGES, MAX_DELIVERIES / count),
        });
        const label = `${count} ${count === 1 ? 'recipient' : 'recipients'}`;
        outcomes.push({ ...loadOutcome(measured), point: { label, x: count } });
      }
      return outcomes;
    }),
};
