import { join } from 'node:path';
import type Redis from 'ioredis';
import { redisCacheFolder } from '../paths';
import { freePort } from '../process/free-port';
import { StopList } from '../process/stop-list';
import { until } from '../process/until';
import { findRedisServer } from '../tools/find-redis-server';
import type { RedisBinary } from '../tools/redis-binary';
import { type RedisServer, startRedis } from './redis-server';

/** How to start a Redis Cluster. */
export interface RedisClusterOptions {
  /** Contains one folder for each of its processes. */
  dir: string;
  /** 3 by default; fewer cannot agree on a failover. */
  masters?: number;
  /** Replicas of each master; none by default. */
  replicas?: 0 | 1;
  /** How long a node may be silent before its replica takes over; 2 s by default. */
  nodeTimeoutMs?: number;
  /** The result of `findRedisServer` by default. */
  binary?: RedisBinary;
}

const SLOTS = 16_384;
const BOUND_MS = 60_000;
/** A little longer than Redis allows for a manual failover. */
const MANUAL_FAILOVER_MS = 6_000;
const KEYS_AT_ONCE = 100;

/** A Redis Cluster of processes on 127.0.0.1. Needs Redis 7 or newer. */
export class RedisCluster {
  /** For REDIS_URL: some of the nodes. */
  readonly url: string;
  /** All nodes. The nodes that were masters at the start come first. */
  readonly servers: readonly RedisServer[];
  readonly #stops: StopList;

  private constructor(servers: readonly RedisServer[], stops: StopList) {
    this.servers = servers;
    this.#stops = stops;
    this.url = `redis+cluster://${servers.map(({ address }) => address).join(',')}`;
  }

  static async start(options: RedisClusterOptions): Promise<RedisCluster> {
    const { dir, masters = 3, replicas = 0, nodeTimeoutMs = 2_000 } = options;
    const stops = new StopList();
    try {
      const binary = options.binary ?? (await findRedisServer(redisCacheFolder));
      const servers = await Promise.all(
        Array.from({ length: masters * (1 + replicas) }, async (_, index) => {
          const server = await startRedis({
            dir: join(dir, `node-${index + 1}`),
            binary,
            args: () => clusterArgs(nodeTimeoutMs),
          });
          stops.add(() => server.stop());
          return server;
        }),
      );
      const cluster = new RedisCluster(servers, stops);
      await cluster.#join(masters);
      return cluster;
    } catch (error) {
      await stops.stopAll();
      throw error;
    }
  }

  /** The node that serves the key, or the channel with that name. */
  async nodeOf(key: string): Promise<RedisServer> {
    return await this.#askAny(async (redis) => {
      const slot = await redis.cluster('KEYSLOT', key);
      for (const [first, last, master] of readSlots(await redis.cluster('SLOTS'))) {
        if (slot >= first && slot <= last) return this.#at(master.port);
      }
      throw new Error(`no node serves slot ${slot}`);
    });
  }

  /** The nodes with a subscriber of the sharded channel. */
  async subscribedNodes(channel: string): Promise<RedisServer[]> {
    const found = await Promise.allSettled(
      this.servers.map(async (server) => {
        const [, count] = (await server.ask((redis) =>
          redis.call('PUBSUB', 'SHARDNUMSUB', channel),
        )) as unknown[];
        return Number(count) > 0 ? [server] : [];
      }),
    );
    return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  }

  /** A master that does not serve the key. */
  async otherNode(key: string): Promise<RedisServer> {
    const node = await this.nodeOf(key);
    const ports = await this.#askAny(async (redis) =>
      readSlots(await redis.cluster('SLOTS')).map(([, , master]) => master.port),
    );
    return this.#at(ports.find((port) => port !== node.port) ?? 0);
  }

  /** Moves the slot of the key with all its data, while it is in use. */
  async moveSlot(key: string, to: RedisServer): Promise<void> {
    const from = await this.nodeOf(key);
    const slot = await from.ask((redis) => redis.cluster('KEYSLOT', key));
    const [fromId, toId] = [await idOf(from), await idOf(to)];
    await to.ask((redis) => redis.cluster('SETSLOT', slot, 'IMPORTING', fromId));
    await from.ask(async (redis) => {
      await redis.cluster('SETSLOT', slot, 'MIGRATING', toId);
      for (;;) {
        const keys = await redis.cluster('GETKEYSINSLOT', slot, KEYS_AT_ONCE);
        if (keys.length === 0) return;
        await redis.migrate('127.0.0.1', to.port, '', 0, BOUND_MS, 'KEYS', ...keys);
      }
    });
    await to.ask((redis) => redis.cluster('SETSLOT', slot, 'NODE', toId));
    await from.ask((redis) => redis.cluster('SETSLOT', slot, 'NODE', toId));
    await this.untilSettled();
  }

  /** Makes the replica of the node take over, as for maintenance. Redis gives up after 5 s; then this asks again. */
  async failOver(master: RedisServer): Promise<RedisServer> {
    const id = await idOf(master);
    const replica = await this.#replicaOf(id);
    let askAgainAt = 0;
    const isMaster = async (): Promise<boolean> => {
      if (((await replica.ask((redis) => redis.call('ROLE'))) as unknown[])[0] === 'master') return true;
      if (performance.now() < askAgainAt) return false;
      askAgainAt = performance.now() + MANUAL_FAILOVER_MS;
      await replica.ask((redis) => redis.cluster('FAILOVER'));
      return false;
    };
    await until('the replica is the master', isMaster, BOUND_MS);
    await this.untilSettled();
    return replica;
  }

  /** Resolves once all running nodes agree on who serves which slots, and every slot is served. */
  async untilSettled(): Promise<void> {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const views = async (): Promise<string[]> =>
      await Promise.all(
        running.map((server) =>
          server.ask(async (redis) => {
            const ranges = readSlots(await redis.cluster('SLOTS'));
            const served = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
            const isWhole = (await redis.cluster('INFO')).includes('cluster_state:ok') && served === SLOTS;
            const owners = ranges.map(([first, last, { port }]) => `${first}-${last}@${port}`).sort();
            return isWhole ? owners.join() : `${server.port} lacks some`;
          }),
        ),
      );
    await until('the nodes agree', async () => new Set(await views()).size === 1, BOUND_MS);
  }

  /** Stops all nodes. */
  async stop(): Promise<void> {
    await this.#stops.stopAll();
  }

  /** Gives slots to the first nodes, joins all nodes, and makes each of the others a replica of one of the first. */
  async #join(masters: number): Promise<void> {
    const [first] = this.servers;
    for (const [index, server] of this.servers.entries()) {
      await server.ask(async (redis) => {
        await redis.cluster('SET-CONFIG-EPOCH', index + 1);
        if (index >= masters) return;
        const range = [index, index + 1].map((each) => Math.floor((each * SLOTS) / masters));
        await redis.cluster('ADDSLOTSRANGE', range[0] ?? 0, (range[1] ?? 0) - 1);
      });
      if (server === first) continue;
      const busPort = await busPortOf(server);
      await first?.ask((redis) => redis.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort));
    }
    const knows = async (): Promise<boolean> => {
      const lists = await Promise.all(
        this.servers.map((server) => server.ask((redis) => redis.cluster('NODES'))),
      );
      return lists.every((list) => {
        const lines = String(list).trim().split('\n');
        return lines.length === this.servers.length && !/handshake|noaddr/.test(String(list));
      });
    };
    await until('the nodes know each other', knows, BOUND_MS);
    for (const [index, server] of this.servers.slice(masters).entries()) {
      const master = this.servers[index % masters];
      if (master === undefined) continue;
      const id = await idOf(master);
      await server.ask((redis) => redis.cluster('REPLICATE', id));
    }
    await this.untilSettled();
    const replicas = this.servers.slice(masters);
    const isFollowing = (server: RedisServer): Promise<boolean> =>
      server.ask(async (redis) => (await redis.info('replication')).includes('master_link_status:up'));
    await until(
      'the replicas follow',
      async () => (await Promise.all(replicas.map(isFollowing))).every(Boolean),
      BOUND_MS,
    );
  }

  async #replicaOf(masterId: string): Promise<RedisServer> {
    const port = await this.#askAny(async (redis) => {
      const line = String(await redis.cluster('NODES'))
        .split('\n')
        .find((each) => each.includes(` ${masterId} `) && each.includes('slave'));
      return Number(/:(\d+)@/.exec(line ?? '')?.[1]);
    });
    return this.#at(port);
  }

  #at(port: number): RedisServer {
    const server = this.servers.find((each) => each.port === port);
    if (server === undefined) throw new Error(`no node has port ${port}`);
    return server;
  }

  /** The answer of the first node that answers. */
  async #askAny<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    return await Promise.any(
      this.servers.filter(({ isRunning }) => isRunning).map((server) => server.ask(question)),
    );
  }
}

/** Starts a Cluster. Its nodes share all slots about equally. */
export async function startRedisCluster(options: RedisClusterOptions): Promise<RedisCluster> {
  return await RedisCluster.start(options);
}

async function clusterArgs(nodeTimeoutMs: number): Promise<string[]> {
  return Object.entries({
    'cluster-enabled': 'yes',
    // The default is the port plus 10,000, which can be above 65,535.
    'cluster-port': String(await freePort()),
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': String(nodeTimeoutMs),
    // Other nodes keep serving their slots while one is down.
    'cluster-require-full-coverage': 'no',
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
  }).flatMap(([name, value]) => [`--${name}`, value]);
}

async function idOf(server: RedisServer): Promise<string> {
  return await server.ask((redis) => redis.cluster('MYID'));
}

async function busPortOf(server: RedisServer): Promise<number> {
  const config = await server.ask((redis) => redis.config('GET', 'cluster-port'));
  return Number(JSON.stringify(config).match(/"(\d+)"/)?.[1]);
}

/** Reads the reply of CLUSTER SLOTS: first and last slot, and the master that serves them. */
function readSlots(reply: unknown): [first: number, last: number, master: { host: string; port: number }][] {
  if (!Array.isArray(reply)) throw new Error('no slots');
  return reply.map(([first, last, [host, port]]) => [
    Number(first),
    Number(last),
    { host: String(host), port: Number(port) },
  ]);
}
