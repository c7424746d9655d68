import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessMemory, RunningSystem } from '../systems/running-system';
import { systemNames } from '../systems/start-system';
import { connectAll } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

const WARM_UP = 1_000;
const CONNECTIONS = 4_000;
/** Time for temporary leftovers of a connect to go away. */
const SETTLE_MS = 3_000;

/** The memory of an idle connection. */
export const idle: Scenario = {
  name: 'idle',
  what: 'memory of a gateway with 4,000 idle connections minus its memory with 1,000, after garbage collection',
  group: 'comparison',
  systems: systemNames,
  figures: ['heapKb', 'rssKb'],
  run: (stores, name, rest) =>
    withTrial(name, stores, { tellsMemory: true }, rest, async (trial) => {
      await connectAll(trial, WARM_UP);
      await sleep(SETTLE_MS);
      const before = await memoryOfGateway(trial.system);
      await connectAll(trial, CONNECTIONS, WARM_UP);
      await sleep(SETTLE_MS);
      const after = await memoryOfGateway(trial.system);
      const kb = (bytes: number): number => bytes / 1_024 / CONNECTIONS;
      return [
        {
          figures: {
            heapKb: kb(after.heapUsed + after.external - before.heapUsed - before.external),
            rssKb: kb(after.rss - before.rss),
          },
          cpu: null,
          account: null,
          receipts: null,
        },
      ];
    }),
};

async function memoryOfGateway({ processes }: RunningSystem): Promise<ProcessMemory> {
  const gateway = processes.find(({ role }) => role === 'gateway');
  if (gateway === undefined) throw new Error('a system without a gateway');
  return await gateway.memory();
}
