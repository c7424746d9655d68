import { randomBytes } from 'node:crypto';
import type { Message, ReceiptItem, RedisKind } from '@posthorn/protocol';
import { mintToken, type ServiceOptions, type ServiceProcess, startService } from '@posthorn/stack';
import {
  createTestDatabase,
  HANG_MS,
  type OwnRedis,
  openTestRedis,
  startOwnRedis,
  TestClient,
  type TestDatabase,
  type TestRedis,
} from '@posthorn/testing';
import { patienceWith, type Store } from './patience';

const SECRET = 'a-secret-for-end-to-end-tests-only';

/** What a test changes from the defaults. */
export interface WorldOptions {
  env?: Record<string, string>;
  /** The kind of a Redis of the test's own, which the test can make fail. */
  ownRedis?: RedisKind;
  /** Stores that the services wait for, however busy the machine is (`patience.ts`). None by default. */
  patientWith?: readonly Store[];
}

/** The answer to a request, with its JSON body. */
export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** Two processes of each service, with their own database and Redis prefix. */
export class World {
  readonly sendApis: ServiceProcess[] = [];
  readonly gateways: ServiceProcess[] = [];
  readonly #clients: TestClient[] = [];
  readonly #env: Record<string, string>;
  readonly #options: ServiceOptions;
  #turn = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly redis: TestRedis,
    readonly ownRedis: OwnRedis | null,
    env: Record<string, string>,
    options: ServiceOptions,
  ) {
    this.#env = env;
    this.#options = options;
  }

  static async start({ env = {}, ownRedis, patientWith = [] }: WorldOptions = {}): Promise<World> {
    const database = await createTestDatabase();
    const own = ownRedis === undefined ? null : await startOwnRedis(ownRedis);
    const redis = openTestRedis(own?.url);
    const patience = patienceWith(patientWith);
    const settings = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      REDIS_PREFIX: redis.prefix,
      AUTH_JWT_SECRET: SECRET,
      DRAIN_MS: '1000',
      RECONCILE_INTERVAL_MS: '2000',
      ...patience.env,
      ...env,
    };
    const world = new World(database, redis, own, settings, patience.options);
    await Promise.all([world.addSendApi(), world.addSendApi(), world.addGateway(), world.addGateway()]);
    return world;
  }

  /** The settings of this world's services. */
  get settings(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /** What `posthorn` needs to know about this world. */
  get addresses(): Record<string, string> {
    return {
      AUTH_JWT_SECRET: SECRET,
      POSTHORN_API: this.sendApis[0]?.url ?? '',
      POSTHORN_GATEWAY: this.gateways[0]?.url.replace('http', 'ws') ?? '',
    };
  }

  async addSendApi(env: Record<string, string> = {}, options: ServiceOptions = {}): Promise<ServiceProcess> {
    const service = await startService(
      'send-api',
      { ...this.#env, ...env },
      { ...this.#options, ...options },
    );
    this.sendApis.push(service);
    return service;
  }

  async addGateway(env: Record<string, string> = {}, options: ServiceOptions = {}): Promise<ServiceProcess> {
    const service = await startService(
      'ws-gateway',
      { ...this.#env, ...env },
      { ...this.#options, ...options },
    );
    this.gateways.push(service);
    return service;
  }

  async token(user: string, scope?: string, ttlS?: number): Promise<string> {
    return await mintToken({
      user,
      secret: SECRET,
      ...(scope === undefined ? {} : { scope }),
      ...(ttlS === undefined ? {} : { ttlS }),
    });
  }

  /** Connects a device to one of the gateways. It acknowledges nothing by itself. */
  async connect(user: string, query: Record<string, string> = {}, gateway = 0): Promise<TestClient> {
    const url = this.gateways[gateway]?.url.replace('http', 'ws') ?? '';
    const client = await TestClient.connect({ url, token: await this.token(user), query });
    this.#clients.push(client);
    return client;
  }

  /** A request to a send-api. Without `api` each send-api gets one in turn. */
  async ask<T>(
    user: string,
    path: string,
    init: { method?: string; body?: unknown; headers?: Record<string, string>; api?: number } = {},
  ): Promise<Answer<T>> {
    const service = this.sendApis[init.api ?? this.#turn++ % this.sendApis.length];
    const response = await fetch(`${service?.url}${path}`, {
      method: init.method ?? 'GET',
      headers: {
        Authorization: `Bearer ${await this.token(user)}`,
        ...(init.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      signal: AbortSignal.timeout(HANG_MS),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? null : JSON.parse(text)) as T,
    };
  }

  /** Sends a text. Fails the test if it is not accepted. */
  async send(
    from: string,
    to: string | string[],
    text: string,
    headers: Record<string, string> = {},
  ): Promise<Message> {
    const body = { to: Array.isArray(to) ? to : [to], text };
    const answer = await this.ask<Message>(from, '/v1/messages', { method: 'POST', body, headers });
    if (answer.status !== 201)
      throw new Error(`the send was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async receipts(sender: string, id: string): Promise<ReceiptItem[]> {
    return (await this.ask<{ items: ReceiptItem[] }>(sender, `/v1/messages/${id}/receipts`)).body.items;
  }

  async isOnline(user: string): Promise<boolean> {
    const { body } = await this.ask<{ items: { online: boolean }[] }>(user, `/v1/presence?users=${user}`);
    return body.items[0]?.online ?? false;
  }

  /** The sum of one of our metrics over all gateways. */
  async gatewayMetric(name: string): Promise<number> {
    let sum = 0;
    for (const { adminUrl } of this.gateways) {
      const text = await (await fetch(`${adminUrl}/metrics`)).text();
      for (const line of text.split('\n')) {
        if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.split(' ').at(-1));
      }
    }
    return sum;
  }

  /** A user name that no other test of the file has. */
  user(name: string): string {
    return `${name}-${randomBytes(4).toString('hex')}`;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.terminate();
    await Promise.all([...this.sendApis, ...this.gateways].map((service) => service.stop()));
    this.redis.client.disconnect();
    await this.ownRedis?.stop();
    await this.database.drop();
  }
}
