import { REDIS_WAITS } from '@posthorn/routing';
import type { Readiness } from '@posthorn/runtime';
import { mintToken } from '@posthorn/stack';
import { HANG_MS, TEST_SECRET, TestClient } from '@posthorn/testing';
import type { Registry } from 'prom-client';
import type { GatewayOptions } from '../src/gateway-options';

/** No store is given up because the machine is slow. */
export const patient = {
  databaseWaits: { statementMs: HANG_MS, lockMs: HANG_MS, queryMs: HANG_MS, connectMs: HANG_MS },
  redisWaits: { ...REDIS_WAITS, commandMs: HANG_MS, limitMs: HANG_MS, routeMs: HANG_MS, livenessMs: HANG_MS },
  maxLockedClaimMs: HANG_MS,
} satisfies Partial<GatewayOptions>;

/** Gives up a statement that waits for a lock, and nothing else. */
export const impatientOfLocks = {
  databaseWaits: { ...patient.databaseWaits, lockMs: 200 },
} satisfies Partial<GatewayOptions>;

/** A gateway inside the test's own process, on a free port. */
export class TestGateway {
  constructor(
    /** Null when Redis was out of reach at the start. */
    readonly id: string | null,
    readonly port: number,
    readonly lines: readonly Record<string, unknown>[],
    readonly readiness: () => Promise<Readiness>,
    /** As SIGTERM does, with so much time for it. */
    readonly stop: (withinMs?: number) => Promise<void>,
    /** What is changed here counts from the next connect on. */
    readonly settings: { upgradeTimeoutMs: number },
    readonly registry: Registry,
    readonly clients: Set<TestClient>,
  ) {}

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Connects as `user` with a good token. @throws RefusedError */
  async connect(
    user: string,
    query: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<TestClient> {
    const token = await mintToken({ user, secret: TEST_SECRET });
    return await this.connectWith(token, query, headers);
  }

  /** Connects with this token. @throws RefusedError */
  async connectWith(
    token: string,
    query: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<TestClient> {
    const client = await TestClient.connect({ url: this.url, token, query, options: { headers } });
    this.clients.add(client);
    return client;
  }

  /** Connects and waits until everything that waited was sent. */
  async connectLive(user: string, query: Record<string, string> = {}): Promise<TestClient> {
    const client = await this.connect(user, query);
    await client.nextOf('caughtUp');
    return client;
  }

  /** The value of a metric, summed over the label sets that hold `labels`. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const metric = await this.registry.getSingleMetric(`posthorn_${name}`)?.get();
    if (metric === undefined) throw new Error(`no metric ${name}`);
    return metric.values
      .filter((value) => Object.entries(labels).every(([label, text]) => value.labels[label] === text))
      .reduce((sum, { value }) => sum + value, 0);
  }
}
