import { setTimeout as sleep } from 'node:timers/promises';
import { mostConnections } from '../world/file-limit';
import { ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

const CONNECTIONS = 10_000;
const PER_SECOND = 200;
const STORM_MS = 20_000;
const BEFORE_KILL_MS = 1_000;
const BOUND_MS = 120_000;
const RETRIES = 50;
const PARALLEL = 256;

/** A gateway dies with all its connections, and all devices reconnect at once to the other gateway. */
export const storm: Scenario = {
  name: 'storm',
  what: 'one of two gateways is killed, and its 10,000 devices connect to the other at once while 200 sends per second go to them',
  group: 'curve',
  systems: ['posthorn'],
  figures: ['connectsPerSecond', 'caughtUpS', 'calmP99', 'stormP99'],
  run: (stores, name, rest) =>
    withTrial(name, stores, { gateways: 2 }, rest, async (trial) => {
      const { driver, system, seconds } = trial;
      const count = Math.min(Math.round(CONNECTIONS * trial.scale), mostConnections());
      const everybody = { from: 0, count, boundMs: BOUND_MS };
      await driver.call('connect', { ...everybody, parallel: PARALLEL, gateway: 0 });
      const plan = { ...ONE_TO_ONE, devices: count, perSecond: PER_SECOND };
      await driver.call('send', { ...plan, ms: seconds * 1_000 });
      const calm = await driver.call('send', { ...plan, ms: seconds * 1_000 });

      const sending = driver.call('send', { ...plan, ms: STORM_MS });
      await sleep(BEFORE_KILL_MS);
      system.processes.find(({ role }) => role === 'gateway')?.kill('SIGKILL');
      await driver.call('allGone', BOUND_MS);
      const back = await driver.call('connect', {
        ...everybody,
        parallel: count,
        gateway: 1,
        retries: RETRIES,
      });
      const meanwhile = await sending;
      if (back.ready < count) throw new Error(`only ${back.ready} of ${count} devices came back`);
      return [
        {
          point: { label: `${count} connections`, x: count },
          figures: {
            connectsPerSecond: (back.ready * 1_000) / back.ms,
            caughtUpS: back.caughtUpMs / 1_000,
            calmP99: calm.post.p99,
            stormP99: meanwhile.post.p99,
          },
          cpu: null,
          account: meanwhile.account,
          receipts: null,
        },
      ];
    }),
};
