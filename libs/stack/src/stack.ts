import { join } from 'node:path';
import { redisCacheFolder } from './paths';
import { migrateDatabase } from './postgres/migrate-database';
import { type PostgresServer, startPostgres } from './postgres/postgres-server';
import { freePort } from './process/free-port';
import { type ServiceName, type ServiceProcess, startService } from './process/service-process';
import { StopList } from './process/stop-list';
import { type RedisServer, startRedis } from './redis/redis-server';
import { quietly, type Step } from './step';
import { findRedisServer } from './tools/find-redis-server';

/** What to start. */
export interface StackOptions {
  /** Where the stores keep their data. Existing data is kept. */
  dir: string;
  /** A Postgres to use instead of our own. */
  databaseUrl?: string;
  /** A Redis to use instead of our own. */
  redisUrl?: string;
  /** How many processes of each service; 2 by default. */
  sendApis?: number;
  wsGateways?: number;
  /** Settings of all services, without the stores' addresses. The source of keys (`AUTH_JWT_SECRET`) is required. */
  env: Readonly<Record<string, string>>;
  /** The ports to try first for process number `index`; any free ports by default. */
  ports?: (service: ServiceName, index: number) => { port: readonly number[]; adminPort: readonly number[] };
  /** Called for every line of the services' logs. */
  onLine?: (service: ServiceName, line: string) => void;
  /** Shows the progress. */
  step?: Step;
  /** Receives each part as soon as it runs, so that an interrupted start can stop it. */
  stops?: StopList;
}

/** A running stack. */
export interface Stack {
  databaseUrl: string;
  redisUrl: string;
  /** Set only if the store is our own. */
  postgres?: PostgresServer;
  redis?: RedisServer;
  sendApis: ServiceProcess[];
  wsGateways: ServiceProcess[];
  /** Resolves with a service that ended unexpectedly. */
  endedByItself: Promise<ServiceProcess>;
  /** Kills a service with SIGKILL and starts it again on the same ports. The new process replaces it in the lists. */
  killAndRestart(service: ServiceProcess): Promise<void>;
  /** Stops the services first, then the stores. */
  stop(): Promise<void>;
}

/**
 * Starts the stores (unless given), migrates, and starts the services. If one step fails, it stops everything that
 * runs.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const stops = options.stops ?? new StopList();
  try {
    return await start(options, stops);
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
}

async function start(options: StackOptions, stops: StopList): Promise<Stack> {
  const { dir, env, step = quietly } = options;
  const postgres =
    options.databaseUrl === undefined
      ? await step('Postgres runs', () => running(stops, startPostgres({ dir: join(dir, 'postgres') })))
      : undefined;
  const redis =
    options.redisUrl === undefined
      ? await step('Redis runs', (say) => running(stops, startLastingRedis(join(dir, 'redis'), say)))
      : undefined;
  const databaseUrl = options.databaseUrl ?? postgres?.url ?? '';
  const redisUrl = options.redisUrl ?? redis?.url ?? '';
  await step('the schema is up to date', () => migrateDatabase(databaseUrl));

  const services = new Set<ServiceProcess>();
  stops.add(() => Promise.all([...services].map((service) => service.stop())));
  const settings = { ...env, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl };
  const asked = new WeakSet<ServiceProcess>();
  let onEnded: (service: ServiceProcess) => void = () => undefined;
  const endedByItself = new Promise<ServiceProcess>((resolve) => {
    onEnded = resolve;
  });
  const launch = async (name: ServiceName, PORT: string, ADMIN_PORT: string) => {
    const onLine = (line: string): void => options.onLine?.(name, line);
    const service = await startService(name, { PORT, ADMIN_PORT, ...settings }, { onLine });
    services.add(service);
    void service.exited.then(() => {
      if (!asked.has(service)) onEnded(service);
    });
    return service;
  };
  const many = async (name: ServiceName, count: number) => {
    const starts = Array.from({ length: count }, async (_, index) => {
      const ports = options.ports?.(name, index);
      const PORT = ports === undefined ? '0' : String(await freePort(ports.port));
      const ADMIN_PORT = ports === undefined ? '0' : String(await freePort(ports.adminPort));
      return await launch(name, PORT, ADMIN_PORT);
    });
    // Wait for all starts before throwing, because a process that started late must be stopped too.
    const settled = await Promise.allSettled(starts);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  };
  const sendApiCount = options.sendApis ?? 2;
  const wsGatewayCount = options.wsGateways ?? 2;
  const sendApis = await step(`${sendApiCount} × send-api`, () => many('send-api', sendApiCount));
  const wsGateways = await step(`${wsGatewayCount} × ws-gateway`, () => many('ws-gateway', wsGatewayCount));

  return {
    databaseUrl,
    redisUrl,
    ...(postgres === undefined ? {} : { postgres }),
    ...(redis === undefined ? {} : { redis }),
    sendApis,
    wsGateways,
    endedByItself,
    async killAndRestart(service) {
      const list = service.name === 'send-api' ? sendApis : wsGateways;
      const place = list.indexOf(service);
      if (place < 0 || asked.has(service)) return;
      asked.add(service);
      service.kill('SIGKILL');
      await service.exited;
      services.delete(service);
      list[place] = await launch(service.name, portOf(service.url), portOf(service.adminUrl));
    },
    stop: () => stops.stopAll(),
  };
}

function portOf(url: string): string {
  return new URL(url).port;
}

async function running<T extends { stop(): Promise<unknown> }>(
  stops: StopList,
  starting: Promise<T>,
): Promise<T> {
  const started = await starting;
  stops.add(() => started.stop());
  return started;
}

async function startLastingRedis(dir: string, say: (sentence: string) => void): Promise<RedisServer> {
  const binary = await findRedisServer(redisCacheFolder, say);
  say(`Redis ${binary.version} runs`);
  return startRedis({ dir, binary, args: ['--appendonly', 'yes'] });
}
