import { type RedisServer, startRedis, startRedisCluster, startRedisSentinel } from '@posthorn/stack';
import type { RedisControl, RedisKind, RedisNode } from './chaos-world';
import { ServerNode } from './server-node';

/** A Redis of any kind, with its address for the services. */
export interface RunningRedis extends RedisControl {
  prefix: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one. Its servers have their own folders in `dir`. */
export async function startRunningRedis(kind: RedisKind, dir: string): Promise<RunningRedis> {
  switch (kind) {
    case 'single':
      return await startSingle(dir);
    case 'sentinel':
      return await startSentinel(dir);
    case 'cluster':
      return await startCluster(dir);
  }
}

async function startSingle(dir: string): Promise<RunningRedis> {
  const server = await startRedis({ dir });
  const node = new ServerNode('redis', server);
  return {
    prefix: '',
    url: server.url,
    nodes: [node],
    nodeOf: async () => node,
    stop: async () => {
      await node.start();
      await server.stop();
    },
  };
}

async function startSentinel(dir: string): Promise<RunningRedis> {
  const redis = await startRedisSentinel({ dir });
  const nodes = nodesFor('server', redis.servers);
  return {
    prefix: '',
    url: redis.url,
    nodes,
    nodeOf: async () => nodeFor(nodes, await redis.master()),
    failover: async () => {
      await redis.untilWatched();
      await redis.failOver();
    },
    stop: async () => {
      for (const node of nodes) await node.start();
      await redis.stop();
    },
  };
}

async function startCluster(dir: string): Promise<RunningRedis> {
  const redis = await startRedisCluster({ dir, replicas: 1 });
  const nodes = nodesFor('node', redis.servers);
  return {
    prefix: '',
    url: redis.url,
    nodes,
    nodeOf: async (key) => nodeFor(nodes, await redis.nodeOf(key)),
    moveSlot: async (key) => {
      await redis.moveSlot(key, await redis.otherNode(key));
      return nodeFor(nodes, await redis.nodeOf(key));
    },
    stop: async () => {
      for (const node of nodes) await node.start();
      await redis.stop();
    },
  };
}

function nodesFor(word: string, servers: readonly RedisServer[]): ServerNode[] {
  return servers.map((server, index) => new ServerNode(`${word} ${index + 1}`, server));
}

function nodeFor(nodes: readonly ServerNode[], server: RedisServer): RedisNode {
  const node = nodes.find((each) => each.server === server);
  if (node === undefined) throw new Error(`no node has port ${server.port}`);
  return node;
}
