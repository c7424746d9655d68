import { eventually } from '@posthorn/testing';
import type { ChaosWorld } from '../world/chaos-world';
import { answers, isSilent, seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { memoryFaults } from './redis-memory';
import { killNode, labelsOf, mastersOf, pickMaster, reviveNodes } from './redis-nodes';
import { subscriberFaults } from './redis-subscribers';
import { suspend } from './suspend';

/** A pause ends by itself, because a pause of everything also blocks the command that would end it. */
const PAUSE_MS = 5_000;

const flush: Fault = {
  id: 'redis-flush',
  what: 'FLUSHALL wipes every master.',
  kinds: EVERY_KIND,
  minMs: 0,
  maxMs: 0,
  inject: async (world) => {
    const masters = await mastersOf(world);
    let lost = 0;
    for (const node of masters) {
      lost += Number(await node.call('DBSIZE'));
      await node.call('FLUSHALL');
    }
    return {
      target: labelsOf(masters),
      heal: async () => undefined,
      effect: async () => seen(lost > 0, `${lost} keys are gone`),
    };
  },
};

const restartEmpty: Fault = {
  id: 'redis-restart-empty',
  what: 'Redis is killed with SIGKILL and restarted empty.',
  kinds: ['single'],
  minMs: 300,
  maxMs: 4_000,
  inject: async (world, random) => {
    const { node } = await pickMaster(world, random);
    const { pid } = node;
    await killNode(node);
    const fellSilent = await isSilent(() => node.call('PING'));
    return {
      target: node.label,
      heal: () => reviveNodes(world),
      effect: async () => seen(pid !== null && fellSilent, `process ${pid} ended, and nothing answered`),
    };
  },
};

const hang: Fault = {
  id: 'redis-hang',
  what: 'Redis is paused with SIGSTOP and continues later.',
  kinds: ['single'],
  minMs: 3_000,
  maxMs: 8_000,
  inject: async (world, random) => {
    const { node } = await pickMaster(world, random);
    return await suspend({
      label: node.label,
      ask: () => node.call('PING'),
      signal: (signal) => node.kill(signal),
      revive: () => reviveNodes(world),
    });
  },
};

/** Redis answers nothing (ALL), or no writing command (WRITE). */
function pause(id: string, mode: 'ALL' | 'WRITE'): Fault {
  return {
    id,
    what: `CLIENT PAUSE ${mode} pauses one master.`,
    kinds: EVERY_KIND,
    minMs: PAUSE_MS,
    maxMs: PAUSE_MS,
    inject: async (world, random) => {
      const { node, key } = await pickMaster(world, random);
      const write = (): Promise<unknown> => node.call('DEL', key);
      const wasThere = await answers(write);
      await node.call('CLIENT', 'PAUSE', PAUSE_MS, mode);
      const ping = (): Promise<unknown> => node.call('PING');
      const [isHeldBack, isAsMeant] = await Promise.all([
        isSilent(write),
        mode === 'WRITE' ? answers(ping) : isSilent(ping),
      ]);
      return {
        target: node.label,
        heal: async () => {
          await untilWritten(world, key);
          await reviveNodes(world);
        },
        effect: async () => seen(wasThere && isHeldBack && isAsMeant, 'it held a command back'),
      };
    },
  };
}

/** Faults of Redis that need only one server. */
export const redisFaults: readonly Fault[] = [
  flush,
  restartEmpty,
  hang,
  pause('redis-pause-all', 'ALL'),
  pause('redis-pause-writes', 'WRITE'),
  ...subscriberFaults,
  ...memoryFaults,
];

/** Asks the node that serves the key, because a Sentinel or a Cluster may have replaced a silent node. */
async function untilWritten({ redis }: ChaosWorld, key: string): Promise<void> {
  const isWritten = (): Promise<boolean> => answers(async () => (await redis.nodeOf(key)).call('DEL', key));
  await eventually('Redis takes writes', isWritten);
}
