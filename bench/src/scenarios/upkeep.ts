import { setTimeout as sleep } from 'node:timers/promises';
import { cpuPer } from './cpu-meter';
import { connectAll, perEach } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

const CONNECTIONS = 4_000;
/** Time for the leftovers of the connects to be finished. */
const SETTLE_MS = 5_000;
/** Two rounds of reconcile, and a ping to each connection. */
const MEASURED_S = 30;

/** The cost of an idle connection. */
export const upkeep: Scenario = {
  name: 'upkeep',
  what: 'CPU that 4,000 idle connections use in 30 seconds, per second and 1,000 connections: reconcile, pings, presence',
  group: 'comparison',
  systems: ['posthorn'],
  figures: ['cpuMsPerThousand'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, CONNECTIONS);
      await sleep(SETTLE_MS);
      const end = trial.meter.start();
      await sleep(MEASURED_S * 1_000);
      const cpu = end();
      const thousands = (CONNECTIONS * MEASURED_S) / 1_000;
      const cpuMsPerThousand = cpuPer(cpu, thousands);
      return [
        {
          figures: cpuMsPerThousand === undefined ? {} : { cpuMsPerThousand },
          cpu: perEach(cpu, thousands),
          account: null,
          receipts: null,
        },
      ];
    }),
};
