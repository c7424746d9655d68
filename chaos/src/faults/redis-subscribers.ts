import { seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { configure, gatewayChannels, labelsOf, mastersOf, subscriberIds } from './redis-nodes';
import { repeat } from './repeat';

/** More than a connection's own buffer in Redis holds. */
const FLOOD = 'x'.repeat(1 << 20);
const FLOOD_EVERY_MS = 500;

const cutSubscribers: Fault = {
  id: 'redis-cut-subscribers',
  what: 'CLIENT KILL closes the connections of all subscribers.',
  kinds: EVERY_KIND,
  minMs: 0,
  maxMs: 0,
  inject: async (world) => {
    const masters = await mastersOf(world);
    let cut = 0;
    for (const node of masters) {
      for (const id of await subscriberIds(node)) cut += Number(await node.call('CLIENT', 'KILL', 'ID', id));
    }
    return {
      target: labelsOf(masters),
      heal: async () => undefined,
      effect: async () => seen(cut > 0, `${cut} subscribers were cut`),
    };
  },
};

const overflowSubscribers: Fault = {
  id: 'redis-overflow-subscribers',
  what: 'Redis cuts its subscribers, because their output buffers are tiny and much is published.',
  kinds: EVERY_KIND,
  minMs: 1_000,
  maxMs: 4_000,
  inject: async (world) => {
    const masters = await mastersOf(world);
    const before = new Map(
      await Promise.all(masters.map(async (node) => [node, await subscriberIds(node)] as const)),
    );
    const undo = await configure(masters, 'client-output-buffer-limit', 'pubsub 1 0 0');
    const flood = async (): Promise<void> => {
      for (const channel of await gatewayChannels(world)) await channel.publish(FLOOD);
    };
    await flood();
    const flooding = repeat(FLOOD_EVERY_MS, flood);
    let gone = 0;
    for (const node of masters) {
      const left = new Set(await subscriberIds(node));
      gone += (before.get(node) ?? []).filter((id) => !left.has(id)).length;
    }
    return {
      target: labelsOf(masters),
      heal: async () => {
        await flooding.stop();
        await undo();
      },
      effect: async () => seen(gone > 0, `${gone} subscribers were cut`),
    };
  },
};

/** Faults of the connections on which gateways subscribe. */
export const subscriberFaults: readonly Fault[] = [cutSubscribers, overflowSubscribers];
