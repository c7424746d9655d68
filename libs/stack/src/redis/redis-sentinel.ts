import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redisCacheFolder } from '../paths';
import { freePort } from '../process/free-port';
import { StopList } from '../process/stop-list';
import { until } from '../process/until';
import { findRedisServer } from '../tools/find-redis-server';
import type { RedisBinary } from '../tools/redis-binary';
import { RedisServer, startRedis } from './redis-server';

/** How to start a Redis behind sentinels. */
export interface RedisSentinelOptions {
  /** Contains one folder for each of its processes. */
  dir: string;
  /** How long the master may be silent before the sentinels replace it; 2 s by default. */
  downAfterMs?: number;
  /** The result of `findRedisServer` by default. */
  binary?: RedisBinary;
}

const SENTINELS = 3;
const QUORUM = 2;
const MASTER_NAME = 'main';
const FAILOVER_TIMEOUT_MS = 6_000;
const BOUND_MS = 60_000;

/** A master with a replica, watched by three sentinels. Each is a process. */
export class RedisSentinel {
  /** For REDIS_URL. */
  readonly url: string;
  /** Master and replica, in no order: a failover swaps them. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  readonly #stops: StopList;

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[], stops: StopList) {
    this.servers = servers;
    this.sentinels = sentinels;
    this.#stops = stops;
    this.url = `redis+sentinel://${sentinels.map(({ address }) => address).join(',')}/${MASTER_NAME}`;
  }

  static async start(options: RedisSentinelOptions): Promise<RedisSentinel> {
    const stops = new StopList();
    try {
      const binary = options.binary ?? (await findRedisServer(redisCacheFolder));
      const server = async (name: string, args: string[]): Promise<RedisServer> => {
        const started = await startRedis({ dir: join(options.dir, name), binary, args });
        stops.add(() => started.stop());
        return started;
      };
      const master = await server('server-1', []);
      const replica = await server('server-2', ['--replicaof', '127.0.0.1', String(master.port)]);
      // The sentinels ask the master for its replicas at once, and then every 10 s.
      await until(
        'the replica follows',
        () => master.ask(async (redis) => (await redis.wait(1, 100)) === 1),
        BOUND_MS,
      );
      const sentinels = await Promise.all(
        Array.from({ length: SENTINELS }, async (_, index) => {
          const sentinel = await startSentinel(
            join(options.dir, `sentinel-${index + 1}`),
            binary,
            master,
            options,
          );
          stops.add(() => sentinel.stop());
          return sentinel;
        }),
      );
      const redis = new RedisSentinel([master, replica], sentinels, stops);
      await redis.untilWatched();
      return redis;
    } catch (error) {
      await stops.stopAll();
      throw error;
    }
  }

  /** The server that most sentinels name as the master. */
  async master(): Promise<RedisServer> {
    const words = await Promise.allSettled(this.sentinels.map(masterPortBy));
    const ports = words.flatMap((word) => (word.status === 'fulfilled' ? [word.value] : []));
    const server = this.servers.find(({ port }) => ports.filter((each) => each === port).length >= QUORUM);
    if (server === undefined) throw new Error(`the sentinels do not agree on a master: ${ports.join(', ')}`);
    return server;
  }

  /** The other server. */
  async replica(): Promise<RedisServer> {
    const master = await this.master();
    const replica = this.servers.find((server) => server !== master);
    if (replica === undefined) throw new Error('there is no replica');
    return replica;
  }

  /**
   * Makes the sentinels swap master and replica, as for maintenance. Resolves once they agree on it. A sentinel gives
   * up if the replica is too slow, as on a busy machine; then this asks again.
   */
  async failOver(): Promise<void> {
    const before = await this.master();
    const [sentinel] = this.sentinels;
    let askAgainAt = 0;
    const isDone = async (): Promise<boolean> => {
      if ((await this.master()) !== before) return true;
      if (performance.now() < askAgainAt) return false;
      askAgainAt = performance.now() + FAILOVER_TIMEOUT_MS;
      // Redis refuses this while a failover is running, or if the replica is not ready yet. Both count as not done.
      await sentinel?.ask((redis) => redis.call('SENTINEL', 'FAILOVER', MASTER_NAME));
      return false;
    };
    await until('another master', isDone, BOUND_MS);
  }

  /** Resolves once every sentinel knows the others and a replica. Only then can they fail over. */
  async untilWatched(): Promise<void> {
    const isWatched = async (sentinel: RedisServer): Promise<boolean> => {
      const flat = await sentinel.ask((redis) => redis.call('SENTINEL', 'MASTER', MASTER_NAME));
      const fields = new Map<unknown, unknown>();
      if (Array.isArray(flat)) for (let at = 0; at < flat.length; at += 2) fields.set(flat[at], flat[at + 1]);
      return (
        fields.get('flags') === 'master' &&
        fields.get('num-other-sentinels') === String(SENTINELS - 1) &&
        fields.get('num-slaves') === '1'
      );
    };
    const check = async (): Promise<boolean> =>
      (await Promise.all(this.sentinels.map(isWatched))).every(Boolean);
    await until('the sentinels know each other and a replica', check, BOUND_MS);
  }

  /** Stops all processes. */
  async stop(): Promise<void> {
    await this.#stops.stopAll();
  }
}

/** Starts a master with a replica and three sentinels, and waits until all know each other. */
export async function startRedisSentinel(options: RedisSentinelOptions): Promise<RedisSentinel> {
  return await RedisSentinel.start(options);
}

async function startSentinel(
  dir: string,
  binary: RedisBinary,
  master: RedisServer,
  { downAfterMs = 2_000 }: RedisSentinelOptions,
): Promise<RedisServer> {
  const port = await freePort();
  const file = join(dir, 'sentinel.conf');
  mkdirSync(dir, { recursive: true });
  // A sentinel writes what it learns into its own configuration file.
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${dir}`,
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} ${QUORUM}`,
      `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${MASTER_NAME} ${FAILOVER_TIMEOUT_MS}`,
      '',
    ].join('\n'),
  );
  return RedisServer.launch(port, { binary, dir, args: [file, '--sentinel'], readyText: 'Sentinel ID is' });
}

async function masterPortBy(sentinel: RedisServer): Promise<number> {
  const address = await sentinel.ask((redis) =>
    redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME),
  );
  return Number(Array.isArray(address) ? address[1] : Number.NaN);
}
