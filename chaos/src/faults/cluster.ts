import type { Random } from '../random';
import type { ChaosWorld } from '../world/chaos-world';
import { seen } from './evidence';
import { masterFaults } from './failover';
import type { Fault } from './fault';
import { gatewayChannels, reviveNodes } from './redis-nodes';
import { repeat } from './repeat';
import { pickUsers, userKeys } from './user-keys';

const USERS = 6;
const PAUSE_MS = 100;

/** Moves slots one after another, until the fault is healed. */
function moveSlots(
  id: string,
  what: string,
  find: (world: ChaosWorld, random: Random) => Promise<string[]>,
): Fault {
  return {
    id,
    what,
    kinds: ['cluster'],
    minMs: 2_000,
    maxMs: 6_000,
    inject: async (world, random) => {
      const names = await find(world, random);
      let moved = 0;
      let next = 0;
      const move = async (): Promise<void> => {
        const name = names[next++ % names.length];
        if (name === undefined) return; // nobody listens now
        const before = await world.redis.nodeOf(name);
        const after = await world.redis.moveSlot?.(name);
        if (after !== undefined && after !== before) moved++;
      };
      const moving = repeat(PAUSE_MS, move);
      return {
        target: names.join(', '),
        heal: async () => {
          await moving.stop();
          await reviveNodes(world);
        },
        effect: async () => seen(moved > 0, `${moved} slots moved`),
      };
    },
  };
}

/** Faults of a Redis Cluster. */
export const clusterFaults: readonly Fault[] = [
  moveSlots(
    'redis-cluster-move-users',
    'The slots of some users move to other nodes with their keys, while they are in use.',
    async (world, random) => pickUsers(world, random, USERS).map((user) => userKeys(world, user).presence),
  ),
  moveSlots(
    'redis-cluster-move-channels',
    'The slots of the channels of gateways move to other nodes.',
    async (world) => (await gatewayChannels(world)).map(({ name }) => name),
  ),
  ...masterFaults('cluster'),
];
