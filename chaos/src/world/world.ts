import { randomBytes } from 'node:crypto';
import { migrateDatabase, mintToken, type ServiceName } from '@posthorn/stack';
import { FaultProxy } from '@posthorn/testing';
import type { HistoryRecorder } from '../history/recorder';
import type { Random } from '../random';
import { Fleet } from '../workload/fleet';
import type { ChaosWorld, Edge, RedisKind, StartVariant } from './chaos-world';
import type { EdgeProxy } from './edge-proxy';
import { ServicePlace } from './service-slot';
import type { Stores } from './stores';

/** The options of a world. */
export interface WorldOptions {
  stores: Stores;
  /** The name of the database and the prefix. It must be unique for these stores. */
  name: string;
  users: readonly string[];
  recorder: HistoryRecorder;
  random: Random;
  /** Bugs on purpose, in every process of a service. */
  bugs?: Partial<Record<ServiceName, StartVariant>>;
  /** Changes of the schema on purpose. */
  sql?: string;
  /** Settings of every service, besides the stores' addresses. By default those of the fault suite. */
  settings?: Readonly<Record<string, string>>;
}

/** Shorter times than the defaults, so that a short run reaches their limits. */
export const CHAOS_SETTINGS = {
  RECONCILE_INTERVAL_MS: '2000',
  HEARTBEAT_MS: '4000',
  SLOW_CONSUMER_MS: '4000',
  DELIVERY_WINDOW: '128',
  DRAIN_MS: '1500',
  OFFLINE_LIST_MAX: '200',
  RATE_LIMIT_SENDS: '0',
} as const;

/** A client gives up a gateway after twice the time between pings. */
const SILENCE_MS = 2 * Number(CHAOS_SETTINGS.HEARTBEAT_MS);
const TOKEN_TTL_S = 86_400;
const COUNT = 2;

/** Two processes of each service on real stores, with a proxy on every edge, and the clients. */
export class World implements ChaosWorld {
  readonly apis: ServicePlace[] = [];
  readonly gateways: ServicePlace[] = [];
  readonly clients: Fleet;
  readonly tokens: ReadonlyMap<string, string>;
  readonly #stores: Stores;
  readonly #proxies: ReadonlyMap<Edge, EdgeProxy[]>;

  private constructor(
    stores: Stores,
    places: readonly ServicePlace[],
    proxies: ReadonlyMap<Edge, EdgeProxy[]>,
    tokens: ReadonlyMap<string, string>,
    { users, recorder, random }: WorldOptions,
  ) {
    this.#stores = stores;
    this.#proxies = proxies;
    this.tokens = tokens;
    this.apis.push(...places.filter(({ name }) => name === 'send-api'));
    this.gateways.push(...places.filter(({ name }) => name === 'ws-gateway'));
    this.clients = new Fleet({
      users,
      recorder,
      random,
      silenceMs: SILENCE_MS,
      token: (user) => tokens.get(user) ?? '',
      gateways: this.gateways.map(({ label, url }) => ({
        label,
        url: `${url.replace('http', 'ws')}/v1/connect`,
      })),
    });
  }

  static async start(options: WorldOptions): Promise<World> {
    const { stores, name, users, recorder, bugs = {}, sql, settings = CHAOS_SETTINGS } = options;
    const { postgres, redis } = stores;
    await postgres.renew(name);
    await migrateDatabase(postgres.url);
    if (sql !== undefined) await postgres.query(sql);
    redis.prefix = `${name}:`;
    const secret = randomBytes(32).toString('hex');

    const proxies = new Map<Edge, EdgeProxy[]>();
    const onEdge = async (edge: Edge, index: number, target?: string): Promise<FaultProxy> => {
      const proxy = await FaultProxy.open(target);
      proxies.set(edge, [...(proxies.get(edge) ?? []), { label: `${edge} ${index}`, proxy }]);
      return proxy;
    };
    const place = async (service: ServiceName, index: number): Promise<ServicePlace> => {
      const role = service === 'send-api' ? 'api' : 'gateway';
      const toPostgres = await onEdge(`${role}-postgres`, index, postgres.url);
      // A Sentinel or a Cluster tells clients the addresses of its nodes, and these have no proxy in front.
      const toRedis = stores.kind === 'single' ? await onEdge(`${role}-redis`, index, redis.url) : null;
      const front = await onEdge(`client-${role}`, index);
      const env = {
        ...settings,
        DATABASE_URL: toPostgres.through(postgres.url),
        REDIS_URL: toRedis?.through(redis.url) ?? redis.url,
        REDIS_PREFIX: redis.prefix,
        AUTH_JWT_SECRET: secret,
      };
      return new ServicePlace({ name: service, index, env, front, recorder, base: bugs[service] ?? {} });
    };
    const names: ServiceName[] = ['send-api', 'ws-gateway'];
    const indices = Array.from({ length: COUNT }, (_, index) => index);
    const places: ServicePlace[] = [];
    for (const service of names) for (const index of indices) places.push(await place(service, index));
    const tokens = await Promise.all(
      users.map(async (user) => [user, await mintToken({ user, secret, ttlS: TOKEN_TTL_S })] as const),
    );
    const world = new World(stores, places, proxies, new Map(tokens), options);
    await world.mend();
    return world;
  }

  get kind(): RedisKind {
    return this.#stores.kind;
  }

  get postgres(): Stores['postgres'] {
    return this.#stores.postgres;
  }

  get redis(): Stores['redis'] {
    return this.#stores.redis;
  }

  get #places(): ServicePlace[] {
    return [...this.apis, ...this.gateways];
  }

  edges(edge: Edge): readonly EdgeProxy[] {
    return this.#proxies.get(edge) ?? [];
  }

  /** Repairs it, whatever was done to it. */
  async mend(): Promise<void> {
    for (const proxies of this.#proxies.values()) for (const { proxy } of proxies) proxy.mode = 'pass';
    await this.postgres.start();
    for (const node of this.redis.nodes) await node.start();
    await Promise.all(this.#places.filter(({ pid }) => pid === null).map((slot) => slot.start()));
  }

  /** Stops the services gracefully and records their exits. */
  async stop(): Promise<{ process: string; code: number | null; signal: string | null }[]> {
    const exits = await Promise.all(
      this.#places.map(async (slot) => ({ process: slot.label, ...(await slot.stop()) })),
    );
    for (const proxies of this.#proxies.values())
      await Promise.all(proxies.map(({ proxy }) => proxy.close()));
    return exits;
  }
}
