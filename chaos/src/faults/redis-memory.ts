import { errorOf, seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { configure, infoOf, labelsOf, mastersOf, pickMaster, setConfig } from './redis-nodes';

/** Less than what an empty server uses. */
const NO_MEMORY = '1';
/** How much must be evicted at once. */
const EXCESS_BYTES = 32_768;

const memoryFull: Fault = {
  id: 'redis-memory-full',
  what: 'Every master is out of memory, evicts nothing and refuses writes.',
  kinds: EVERY_KIND,
  minMs: 2_000,
  maxMs: 6_000,
  inject: async (world, random) => {
    const masters = await mastersOf(world);
    const undoPolicy = await configure(masters, 'maxmemory-policy', 'noeviction');
    const undoLimit = await configure(masters, 'maxmemory', NO_MEMORY);
    const { node, key } = await pickMaster(world, random);
    const error = await errorOf(() => node.call('SET', key, '', 'PX', 1));
    return {
      target: labelsOf(masters),
      heal: async () => {
        await undoLimit();
        await undoPolicy();
      },
      effect: async () => seen(error?.includes('OOM') === true, `a write was refused: ${error}`),
    };
  },
};

const memoryEvicts: Fault = {
  id: 'redis-memory-evicts',
  what: 'Every master is at its memory limit and evicts the least recently used keys.',
  kinds: EVERY_KIND,
  minMs: 2_000,
  maxMs: 6_000,
  inject: async (world) => {
    const masters = await mastersOf(world);
    const evicted = async (): Promise<number> => {
      const counts = await Promise.all(masters.map((node) => infoOf(node, 'stats', 'evicted_keys')));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await evicted();
    const undoPolicy = await configure(masters, 'maxmemory-policy', 'allkeys-lru');
    const limits = await Promise.all(
      masters.map(async (node) => {
        const used = await infoOf(node, 'memory', 'used_memory');
        return await setConfig(node, 'maxmemory', String(used - EXCESS_BYTES));
      }),
    );
    let keys = 0;
    return {
      target: labelsOf(masters),
      heal: async () => {
        keys = (await evicted()) - before;
        await Promise.all(limits.map((undo) => undo()));
        await undoPolicy();
      },
      effect: async () => {
        keys = Math.max(keys, (await evicted().catch(() => 0)) - before); // another fault may hit it too
        return seen(keys > 0, `${keys} keys were evicted`);
      },
    };
  },
};

/** Faults of a Redis with too little memory. */
export const memoryFaults: readonly Fault[] = [memoryFull, memoryEvicts];
