import { connectAll, DEVICES, loadOutcome, measureLoad, ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { type Outcome, withTrial } from './trial';

const WORKERS = [1, 2];

/** What more processes of each service bring on the available cores. */
export const workers: Scenario = {
  name: 'workers',
  what: 'the load of "saturated", with 1 and with 2 workers in each service',
  group: 'curve',
  systems: ['posthorn'],
  figures: ['sendsPerSecond', 'cpuMs', 'frameP99'],
  run: async (stores, name, rest) => {
    const outcomes: Outcome[] = [];
    for (const count of WORKERS) {
      const outcome = await withTrial(name, stores, { workers: count }, rest, async (trial) => {
        await connectAll(trial, DEVICES);
        return loadOutcome(await measureLoad(trial, ONE_TO_ONE));
      });
      outcomes.push({ ...outcome, point: { label: `WORKERS=${count}`, x: count } });
    }
    return outcomes;
  },
};
