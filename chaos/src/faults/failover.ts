import type { ChaosWorld, RedisKind, RedisNode } from '../world/chaos-world';
import { isSilent, seen } from './evidence';
import type { Fault, Injected } from './fault';
import { killNode, pickMaster, reviveNodes } from './redis-nodes';
import { suspend } from './suspend';

/** Usually long enough for another node to take over, but not always. */
const DURATION = { minMs: 2_500, maxMs: 10_000 };

/** Faults of a master that other nodes can replace. */
export function masterFaults(kind: 'sentinel' | 'cluster'): readonly Fault[] {
  const kinds: readonly RedisKind[] = [kind];
  const others = kind === 'sentinel' ? 'Sentinels' : 'a Cluster';
  return [
    {
      id: `redis-${kind}-kill-master`,
      what: `A master with ${others} is killed with SIGKILL and restarted later.`,
      kinds,
      ...DURATION,
      inject: async (world, random) => {
        const { node, key } = await pickMaster(world, random);
        const { pid } = node;
        await killNode(node);
        const fellSilent = await isSilent(() => node.call('PING'));
        const injected: Injected = {
          target: node.label,
          heal: () => reviveNodes(world),
          effect: async () => seen(pid !== null && fellSilent, `process ${pid} ended`),
        };
        return withSuccessor(injected, world, node, key);
      },
    },
    {
      id: `redis-${kind}-hang-master`,
      what: `A master with ${others} is paused with SIGSTOP. When it continues, it may no longer be a master.`,
      kinds,
      ...DURATION,
      inject: async (world, random) => {
        const { node, key } = await pickMaster(world, random);
        const injected = await suspend({
          label: node.label,
          ask: () => node.call('PING'),
          signal: (signal) => node.kill(signal),
          revive: () => reviveNodes(world),
        });
        return withSuccessor(injected, world, node, key);
      },
    },
  ];
}

/** Adds to the effect which node took over, if one did. */
function withSuccessor(injected: Injected, world: ChaosWorld, before: RedisNode, key: string): Injected {
  return {
    ...injected,
    effect: async () => {
      const evidence = await injected.effect();
      if (evidence === null) return null;
      // Until a node has taken over, none may answer.
      const now = await world.redis.nodeOf(key).catch(() => before);
      return now === before ? `${evidence}; nobody took over` : `${evidence}; ${now.label} took over`;
    },
  };
}
