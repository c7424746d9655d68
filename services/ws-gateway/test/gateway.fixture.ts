import { createHmac } from 'node:crypto';
import { type AcceptedMessage, acceptMessages, InboxDatabase, type NewMessage } from '@posthorn/inbox';
import type { ServerFrame } from '@posthorn/protocol';
import { Keys, LiveGateways, Notifier, Presence, RedisConnection, Router } from '@posthorn/routing';
import { type Environment, loadGatewaySettings } from '@posthorn/runtime';
import { migrateDatabase } from '@posthorn/stack';
import {
  createServiceContext,
  createTestDatabase,
  eventually,
  HANG_MS,
  holdLocks,
  openTestRedis,
  RefusedError,
  TEST_SECRET,
  type TestClient,
  type TestDatabase,
  type TestRedis,
} from '@posthorn/testing';
import type { GatewayOptions } from '../src/gateway-options';
import { createGateway } from '../src/ws-gateway';
import { patient, TestGateway } from './test-gateway.fixture';

export { impatientOfLocks, patient, type TestGateway } from './test-gateway.fixture';

/** What the log takes: nothing of interest to a test. */
const silent = { info: () => undefined, warn: () => undefined };

/** The stores of one test file, its gateways, and a send-api's way to their users. */
export class GatewayFixture {
  readonly keys: Keys;
  readonly #inbox: InboxDatabase;
  readonly #connection: RedisConnection;
  readonly #router: Router;
  readonly #notifier: Notifier;
  readonly #gateways: TestGateway[] = [];
  readonly #clients = new Set<TestClient>();
  #users = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly redis: TestRedis,
  ) {
    this.keys = new Keys(redis.prefix);
    this.#inbox = InboxDatabase.open({ url: database.url, log: silent, waits: patient.databaseWaits });
    this.#connection = new RedisConnection(redis.url, silent, patient.redisWaits);
    const gateways = new LiveGateways(this.#connection, this.keys);
    this.#notifier = new Notifier(
      this.#connection,
      this.keys,
      new Presence(this.#connection, this.keys, gateways),
    );
    this.#router = new Router(this.#connection, this.keys, gateways, { max: 1_000, ttlS: 3_600 });
  }

  /** A database and a Redis prefix of the file's own; `redisUrl` names a Redis of its own, too. */
  static async open(redisUrl?: string): Promise<GatewayFixture> {
    const fixture = new GatewayFixture(await createTestDatabase(), openTestRedis(redisUrl));
    await eventually('Redis', () => fixture.#connection.answers());
    return fixture;
  }

  /**
   * Starts a gateway, and waits until it is known in Redis. Reconcile is far off and all waits are long unless asked for,
   * so that nothing passes or fails a test by them.
   */
  async start(env: Environment = {}, options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
    const before = new Set(await this.leases());
    return await this.#start(env, { ...patient, ...options }, () =>
      eventually('the lease', async () => (await this.leases()).find((key) => !before.has(key))),
    );
  }

  /** Starts a gateway that cannot reach Redis: it has no id that a test could know. */
  startWithoutRedis(env: Environment): Promise<TestGateway> {
    const { databaseWaits, maxLockedClaimMs } = patient;
    return this.#start(env, { databaseWaits, maxLockedClaimMs }, async () => null);
  }

  async #start(
    env: Environment,
    options: Partial<GatewayOptions>,
    findLease: () => Promise<string | null>,
  ): Promise<TestGateway> {
    // A copy, which a test may change.
    const settings = {
      ...loadGatewaySettings({
        PORT: '0',
        ADMIN_PORT: '0',
        DATABASE_URL: this.database.url,
        REDIS_URL: this.redis.url,
        REDIS_PREFIX: this.redis.prefix,
        AUTH_JWT_SECRET: TEST_SECRET,
        RECONCILE_INTERVAL_MS: '600000',
        UPGRADE_TIMEOUT_MS: '60000',
        DRAIN_MS: '0',
        ...env,
      }),
    };
    const context = createServiceContext('ws-gateway', settings);
    const service = await createGateway(context, options);
    const lease = await findLease();
    const gateway = new TestGateway(
      lease?.slice(this.keys.lease('').length) ?? null,
      service.port,
      context.lines,
      service.readiness,
      (withinMs = HANG_MS) => context.life.stop(withinMs),
      settings,
      context.metrics,
      this.#clients,
    );
    this.#gateways.push(gateway);
    return gateway;
  }

  /** The lease keys there are. */
  leases(): Promise<string[]> {
    return this.redis.client.keys(`${this.keys.lease('')}*`);
  }

  /** A user id that no other test has. */
  user(name = 'user'): string {
    this.#users++;
    return `${name}-${this.#users}`;
  }

  /** Commits messages of these texts from `from` to `to`, in order, without routing them. */
  async commit(
    from: string,
    to: string | readonly string[],
    messages: readonly string[],
  ): Promise<AcceptedMessage[]> {
    const sends: NewMessage[] = messages.map((text) => ({
      sender: from,
      to: typeof to === 'string' ? [to] : to,
      text,
    }));
    return (await acceptMessages(this.#inbox, sends)).map((outcome) => {
      if (outcome instanceof Error) throw outcome;
      if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
      return outcome;
    });
  }

  /** Routes what was committed. */
  async route(accepted: readonly AcceptedMessage[]): Promise<void> {
    await this.#router.route(accepted);
  }

  /** Sends messages as send-api does. */
  async send(
    from: string,
    to: string | readonly string[],
    messages: readonly string[],
  ): Promise<AcceptedMessage[]> {
    const accepted = await this.commit(from, to, messages);
    await this.route(accepted);
    return accepted;
  }

  /** Ends connections as an operator does. */
  disconnect(user: string, device?: string): Promise<void> {
    return this.#notifier.publishDisconnect(user, device);
  }

  /** What Postgres holds of a device. */
  async device(
    user: string,
    device = 'default',
  ): Promise<{ cursor: number; fence: number; gateway: string | null; lastSeenAt: Date | null }> {
    const [row] = await this.database.query<{
      cursor: string;
      fence: string;
      gateway: string | null;
      last_seen_at: Date | null;
    }>('SELECT cursor, fence, gateway, last_seen_at FROM device WHERE user_id = $1 AND device = $2', [
      user,
      device,
    ]);
    if (row === undefined) throw new Error(`no device ${device} of ${user}`);
    const { cursor, fence, gateway, last_seen_at: lastSeenAt } = row;
    return { cursor: Number(cursor), fence: Number(fence), gateway, lastSeenAt };
  }

  /** Keeps everybody from this device's row; what comes back lets go. */
  lockDevice(user: string, device = 'default'): Promise<() => Promise<void>> {
    return holdLocks(this.database, 'SELECT 1 FROM device WHERE user_id = $1 AND device = $2 FOR UPDATE', [
      user,
      device,
    ]);
  }

  /** Keeps everybody from the devices, as a Postgres that is out of reach does; what comes back lets go. */
  lockDevices(): Promise<() => Promise<void>> {
    return holdLocks(this.database, 'LOCK TABLE device IN ACCESS EXCLUSIVE MODE');
  }

  /**
   * What a restore of an older backup leaves of a user: an inbox that ends at `newest`, and the device as it was then
   * (as it is now without `fence`); then a new epoch.
   */
  async restore(user: string, newest: number, fence?: number): Promise<void> {
    await this.database.query('DELETE FROM inbox_entry WHERE user_id = $1 AND seq > $2', [user, newest]);
    await this.database.query('UPDATE inbox SET newest_seq = $2 WHERE user_id = $1', [user, newest]);
    if (fence !== undefined)
      await this.database.query('UPDATE device SET fence = $2 WHERE user_id = $1', [user, fence]);
    await migrateDatabase(this.database.url, ['--new-epoch']);
  }

  /** The presence hash of a user. */
  presence(user: string): Promise<Record<string, string>> {
    return this.redis.client.hgetall(this.keys.presence(user));
  }

  /** The `seq` in a user's offline list, in its order. */
  async listed(user: string): Promise<number[]> {
    const entries = await this.redis.client.lrange(this.keys.offline(user), 0, -1);
    return entries.map((text) => (JSON.parse(text) as { seq: number }).seq);
  }

  /** Ends everything; fails when a gateway kept a connection. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.terminate();
    await Promise.all(this.#gateways.map((gateway) => gateway.stop()));
    for (const gateway of this.#gateways) expect(await gateway.metric('connections')).toBe(0);
    this.#connection.close();
    await this.#inbox.close();
    await this.redis.close();
    await this.database.drop();
  }
}

/** The refusal of an upgrade that must not succeed. */
export async function refusalOf(connecting: Promise<unknown>): Promise<RefusedError> {
  try {
    await connecting;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('the upgrade was not refused');
}

/** Checks that a refusal is a problem as every endpoint answers it. */
export function expectProblem(
  refused: { status: number; headers: Record<string, string | string[] | undefined>; body: string },
  status: number,
  code: string,
): void {
  expect({ status: refused.status, body: JSON.parse(refused.body) as unknown }).toEqual({
    status,
    body: {
      type: `urn:posthorn:error:${code}`,
      title: expect.any(String) as string,
      status,
      detail: expect.any(String) as string,
      code,
    },
  });
  expect(refused.headers['content-type']).toBe('application/problem+json');
  expect(refused.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
}

/** A JWT of any header and claims, signed with HS256 whatever the header says. */
export function signToken(claims: object, header: object = { alg: 'HS256' }, secret = TEST_SECRET): string {
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** Texts `prefix1` to `prefixN`. */
export function texts(count: number, prefix = 'm'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

/** The `seq` of message frames. */
export function seqsOf(frames: readonly ServerFrame[]): number[] {
  return frames.flatMap((frame) => (frame.type === 'message' ? [frame.seq] : []));
}

/** `from`, `from` + 1 … `through`. */
export function range(from: number, through: number): number[] {
  return Array.from({ length: Math.max(0, through - from + 1) }, (_, index) => from + index);
}
