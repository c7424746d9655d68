import { parseRedisUrl, type RedisAddress, type RedisHost, type RedisKind } from '@posthorn/protocol';
import { Redis } from 'ioredis';
import { Keys } from '../keys';
import { readClusterSlots } from './cluster/cluster-slots';
import { commandOptions, targetOptions } from './redis-options';

/** What a node says of itself. */
export interface RedisNodeFacts {
  /** `host:port`; empty for the one server, or the master of sentinels. */
  address: string;
  /** The fields of INFO. */
  info: Readonly<Record<string, string>>;
  /** How long answers took, ms. */
  latenciesMs: number[];
  /** Its clock, ours in the middle of asking, and how long that took; ms. */
  clock: { theirsMs: number; oursMs: number; tookMs: number };
}

/** What Redis says of itself, whichever kind it is. */
export interface RedisFacts {
  kind: RedisKind;
  master: string;
  /** Those that serve keys. */
  nodes: RedisNodeFacts[];
  /** Of a Cluster. */
  cluster: { state: string; slotsOk: number } | null;
  /** What it answers to a write, where that is refused. */
  writeError: string | null;
}

const WAIT_MS = 5_000;
const LATENCIES = 7;
const PROBE_TTL_MS = 1_000;

/**
 * Asks Redis for what matters to a deployment, over connections of their own that end with it. The same addresses, roles and
 * credentials count as for a service.
 * @throws what the connection failed with
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
  let failure: unknown = new Error('no node is named');
  for (const host of address.hosts) {
    try {
      return await withRedis(address, host, async (redis) => {
        const ranges = readClusterSlots(await redis.cluster('SLOTS'), host.host);
        const masters = new Map(ranges.map(({ host: at }) => [`${at.host}:${at.port}`, at]));
        const nodes = await Promise.all(
          [...masters].map(([name, at]) => withRedis(address, at, (node) => readNode(node, name))),
        );
        const state = fieldsOf(await redis.cluster('INFO'));
        // Asked of a node that does not serve the key, the answer tells of the whole: MOVED where all is well.
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
    // Asked here, in words.
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
    // The connection knows why; the command only that it ended.
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

/** `name:value` lines. */
function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}
