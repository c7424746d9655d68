import { mostConnections } from '../world/file-limit';
import { connectAll, loadOutcome, measureLoad, ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { type Outcome, withTrial } from './trial';

const CONNECTIONS = [1_000, 5_000, 10_000, 15_000];
const PER_SECOND = 500;

/** Whether idle connections slow down busy ones. */
export const connections: Scenario = {
  name: 'connections',
  what: '500 sends per second to 1,000, 5,000, 10,000 and 15,000 devices on one gateway',
  group: 'curve',
  systems: ['posthorn', 'floor'],
  figures: ['frameP50', 'frameP99', 'cpuMs'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      const outcomes: Outcome[] = [];
      let connected = 0;
      for (const wanted of CONNECTIONS.map((count) => Math.round(count * trial.scale))) {
        const count = Math.min(wanted, mostConnections());
        if (count < wanted)
          trial.say(`${wanted} connections are more than the limit on open files allows: ${count}`);
        if (count === connected) break;
        await connectAll(trial, count - connected, connected);
        connected = count;
        const measured = await measureLoad(trial, { ...ONE_TO_ONE, devices: count, perSecond: PER_SECOND });
        outcomes.push({ ...loadOutcome(measured), point: { label: `${count} connections`, x: count } });
      }
      return outcomes;
    }),
};
