import { parseRedisUrl, type RedisAddress, type RedisHost, type RedisKind } from '@posthorn/protocol';
import { Redis } from 'ioredis';
import { Keys } from '../keys';
import { readClusterSlots } from './cluster/cluster-slots';
import { commandOptions, targetOptions } from './redis-options';

/** What a node reports about itself. */
export interface RedisNodeFacts {
  /** `host:port`; empty for a single server and for the master of sentinels. */
  address: string;
  /** The fields of INFO. */
  info: Readonly<Record<string, string>>;
  /** How long each PING took, in milliseconds. */
  latenciesMs: number[];
  /** Its clock, our clock at the middle of the request, and how long the request took; all in milliseconds. */
  clock: { theirsMs: number; oursMs: number; tookMs: number };
}

/** What Redis reports about itself, for every kind of Redis. */
export interface RedisFacts {
  kind: RedisKind;
  master: string;
  /** The nodes that serve keys. */
  nodes: RedisNodeFacts[];
  /** The state of the Cluster; null for any other kind. */
  cluster: { state: string; slotsOk: number } | null;
  /** The error with which Redis refuses a write; null when it accepts one. */
  writeError: string | null;
}

const WAIT_MS = 5_000;
const LATENCIES = 7;
const PROBE_TTL_MS = 1_000;

/**
 * Reads what an operator must know about Redis. It opens its own connections and closes them. They use the same
 * addresses, roles and credentials as those of a service.
 * @throws the error with which the connection failed
 */
export async function readRedisFacts(url: string, prefix: string): Promise<RedisFacts> {
  const address = parseRedisUrl(url);
  const key = `${new Keys(prefix).gateways()}:probe`;
  if (address.kind !== 'cluster') {
    return await withRedis(address, targetOptions(address), async (redis) => ({
      kind: address.kind,
      master: address.master,
      nodes: [await readNode(redis, '')],
      cluster: null,
      writeError: await probeWrite(redis, key),
    }));
  }
  return await readCluster(address, key);
}

async function readCluster(address: RedisAddress, key: string): Promise<RedisFacts> {
  let failure: unknown = new Error('REDIS_URL names no node');
  for (const host of address.hosts) {
    try {
      return await withRedis(address, host, async (redis) => {
        const ranges = readClusterSlots(await redis.cluster('SLOTS'), host.host);
        const masters = new Map(ranges.map(({ host: at }) => [`${at.host}:${at.port}`, at]));
        const nodes = await Promise.all(
          [...masters].map(([name, at]) => withRedis(address, at, (node) => readNode(node, name))),
        );
        const state = fieldsOf(await redis.cluster('INFO'));
        // A node that does not serve the key answers MOVED when the Cluster is well, so MOVED counts as a success.
        const refused = await probeWrite(redis, key);
        return {
          kind: 'cluster' as const,
          master: '',
          nodes,
          cluster: { state: state['cluster_state'] ?? 'unknown', slotsOk: Number(state['cluster_slots_ok']) },
          writeError: refused?.startsWith('MOVED') ? null : refused,
        };
      });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function withRedis<T>(
  address: RedisAddress,
  target: RedisHost | ReturnType<typeof targetOptions>,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    ...commandOptions(address),
    ...target,
    lazyConnect: true,
    commandTimeout: WAIT_MS,
    // The ready check would hide why Redis is not ready. The facts report it instead.
    enableReadyCheck: false,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  });
  let failure: unknown;
  redis.on('error', (error) => {
    failure = error;
  });
  try {
    await redis.connect();
    return await work(redis);
  } catch (error) {
    // The error of the connection says why. The error of a command only says that the connection ended.
    throw failure ?? error;
  } finally {
    redis.disconnect();
  }
}

async function readNode(redis: Redis, address: string): Promise<RedisNodeFacts> {
  const info = fieldsOf(await redis.info());
  const latenciesMs: number[] = [];
  for (let time = 0; time < LATENCIES; time += 1) {
    const startedAt = performance.now();
    await redis.ping();
    latenciesMs.push(performance.now() - startedAt);
  }
  const askedAt = Date.now();
  const [seconds, micros] = await redis.time();
  const answeredAt = Date.now();
  const theirsMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
  return {
    address,
    info,
    latenciesMs,
    clock: { theirsMs, oursMs: (askedAt + answeredAt) / 2, tookMs: answeredAt - askedAt },
  };
}

async function probeWrite(redis: Redis, key: string): Promise<string | null> {
  try {
    await redis.set(key, '1', 'PX', PROBE_TTL_MS);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Parses `name:value` lines. */
function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}
