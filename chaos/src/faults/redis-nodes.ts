import { eventually } from '@posthorn/testing';
import type { Random } from '../random';
import type { ChaosWorld, RedisNode } from '../world/chaos-world';
import { userKeys } from './user-keys';

/** The nodes that take writes now. With a single Redis or Sentinel this is one. */
export async function mastersOf({ redis }: ChaosWorld): Promise<RedisNode[]> {
  const roles = await Promise.all(redis.nodes.map((node) => roleOf(node)));
  return redis.nodes.filter((_, index) => roles[index] === 'master');
}

/** The master that serves a user, and an unused key in the user's slot. */
export async function pickMaster(
  world: ChaosWorld,
  random: Random,
): Promise<{ node: RedisNode; key: string }> {
  const { probe } = userKeys(world, random.pick(world.clients.users));
  return { node: await world.redis.nodeOf(probe), key: probe };
}

/** `master` or `slave`; null if it does not answer. */
async function roleOf(node: RedisNode): Promise<string | null> {
  try {
    const [role] = textsOf(await node.call('ROLE'));
    return role ?? null;
  } catch {
    return null; // down or hung
  }
}

/** Kills its process. */
export async function killNode(node: RedisNode): Promise<void> {
  node.kill('SIGKILL');
  await eventually(`${node.label} has ended`, () => node.pid === null);
}

/** Makes every node run and answer, and waits until replicas follow their masters and each key has a master. */
export async function reviveNodes({ redis, kind }: ChaosWorld): Promise<void> {
  for (const node of redis.nodes) if (node.pid === null) await node.start();
  const isWhole = async (): Promise<boolean> => {
    const roles = await Promise.all(redis.nodes.map(async (node) => textsOf(await node.call('ROLE'))));
    const masters = roles.filter(([role]) => role === 'master').length;
    const followers = roles.filter((texts) => texts.includes('connected')).length;
    if (masters + followers < redis.nodes.length) return false;
    // A replaced master still considers itself a master until the Sentinels reconfigure it.
    return kind === 'cluster' ? await areAgreed(redis.nodes) : masters === 1;
  };
  await eventually('Redis is whole', isWhole);
}

/** Whether every node of the Cluster knows who serves each slot. */
async function areAgreed(nodes: readonly RedisNode[]): Promise<boolean> {
  const infos = await Promise.all(nodes.map(async (node) => String(await node.call('CLUSTER', 'INFO'))));
  return infos.every((info) => info.includes('cluster_state:ok'));
}

/** A number from `INFO`: `infoOf(node, 'stats', 'evicted_keys')`; 0 if this Redis does not have it. */
export async function infoOf(node: RedisNode, section: string, name: string): Promise<number> {
  const text = String(await node.call('INFO', section));
  const line = text.split(/\r?\n/).find((each) => each.startsWith(`${name}:`));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/** Changes a setting. The returned function restores it, if the node still runs. */
export async function setConfig(node: RedisNode, name: string, value: string): Promise<() => Promise<void>> {
  const [, before = ''] = textsOf(await node.call('CONFIG', 'GET', name));
  await node.call('CONFIG', 'SET', name, value);
  return async () => {
    if (node.pid !== null) await node.call('CONFIG', 'SET', name, before);
  };
}

/** Changes a setting on all nodes in the same way. */
export async function configure(
  nodes: readonly RedisNode[],
  name: string,
  value: string,
): Promise<() => Promise<void>> {
  const undos = await Promise.all(nodes.map((node) => setConfig(node, name, value)));
  return async () => {
    await Promise.all(undos.map((undo) => undo()));
  };
}

/** The subscriptions of the services on this node, by connection id. Sentinels subscribe too. */
export async function subscriberIds(node: RedisNode): Promise<string[]> {
  const lines = String(await node.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).split('\n');
  return lines.flatMap((line) => {
    const id = /^id=(\d+)/.exec(line)?.[1];
    return id === undefined || line.includes(' name=sentinel-') ? [] : [id];
  });
}

/** A gateway's channel, and how to publish on it. */
export interface OpenChannel {
  readonly name: string;
  publish(text: string): Promise<void>;
}

/** The channels that gateways currently subscribe to. */
export async function gatewayChannels(world: ChaosWorld): Promise<OpenChannel[]> {
  const isSharded = world.kind === 'cluster';
  const pattern = `${world.redis.prefix}gateway:*`;
  const channels: OpenChannel[] = [];
  for (const node of await mastersOf(world)) {
    const names = textsOf(await node.call('PUBSUB', isSharded ? 'SHARDCHANNELS' : 'CHANNELS', pattern));
    for (const name of names) {
      channels.push({
        name,
        publish: async (text) => {
          await node.call(isSharded ? 'SPUBLISH' : 'PUBLISH', name, text);
        },
      });
    }
  }
  return channels;
}

/** Names the nodes for a report. */
export function labelsOf(nodes: readonly RedisNode[]): string {
  return nodes.map(({ label }) => label).join(', ');
}

/** The texts of a reply that is a list or, in newer protocols, an object. */
function textsOf(answer: unknown): string[] {
  if (Array.isArray(answer)) return answer.filter((item) => typeof item === 'string');
  if (answer instanceof Map) return textsOf([...answer].flat());
  return typeof answer === 'object' && answer !== null ? textsOf(Object.entries(answer).flat()) : [];
}
