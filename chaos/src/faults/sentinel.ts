import { seen } from './evidence';
import { masterFaults } from './failover';
import type { Fault } from './fault';
import { pickMaster, reviveNodes } from './redis-nodes';

/** The last writes to the old master may be lost with it. */
const plannedFailover: Fault = {
  id: 'redis-sentinel-failover',
  what: 'A Sentinel promotes a replica while the master is still running.',
  kinds: ['sentinel'],
  minMs: 0,
  maxMs: 0,
  inject: async (world, random) => {
    // Another fault may have left the sentinels without a replica to choose.
    await reviveNodes(world);
    const { node: before, key } = await pickMaster(world, random);
    await world.redis.failover?.();
    const after = await world.redis.nodeOf(key);
    return {
      target: before.label,
      heal: () => reviveNodes(world),
      effect: async () => seen(after !== before, `${after.label} took over`),
    };
  },
};

/** Faults of a Redis with Sentinels. */
export const sentinelFaults: readonly Fault[] = [plannedFailover, ...masterFaults('sentinel')];
