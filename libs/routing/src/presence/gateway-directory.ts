import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject } from '@posthorn/protocol';
import type { GatewayNotice } from '../channel/gateway-notice';
import type { Keys } from '../keys';
import type { RedisConnection } from '../redis/redis-connection';
import { isOutage } from '../redis/redis-node';
import { RedisOutageError } from '../redis/redis-outage-error';
import type { GatewayAbout } from './lease';

/** A gateway that is live, or may be. */
export interface GatewayListing {
  gateway: string;
  /** `unknown`: the node with its lease is unreachable. */
  state: 'live' | 'unknown';
  /** Null when it is unknown, or written by another version in another form. */
  about: GatewayAbout | null;
}

/** One connection of a gateway, as the gateway sees it. */
export interface ConnectionView {
  user: string;
  device: string;
  state: 'claiming' | 'draining' | 'live' | 'closed';
  connectedForMs: number;
  /** The highest `seq` sent, acknowledged, and known in the inbox; null while the device is being claimed. */
  sent: number | null;
  acknowledged: number | null;
  newest: number | null;
  /** Bytes that are not sent yet, because the client has not read them. */
  bufferedBytes: number;
}

/** A part of a gateway's connections, in the order in which it holds their users. */
export interface ConnectionPage {
  connections: number;
  items: ConnectionView[];
}

const ANSWER_TTL_MS = 10_000;
const ANSWER_WAIT_MS = 1_000;
const POLL_MS = 20;

/** For operators: asks all gateways over Redis, so that every process gives the same cluster-wide view. */
export class GatewayDirectory {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Every gateway that has a lease. If a gateway could not be added to the index, its next renewal (3 s) does it.
   * @throws RedisOutageError
   */
  async list(): Promise<GatewayListing[]> {
    const ids = await this.#redis.run(['zrange', this.#keys.gateways(), 0, -1]);
    const leases = await this.#redis.runAll(ids.map((id) => ['get', this.#keys.lease(id)] as const));
    return ids.flatMap((gateway, index): GatewayListing[] => {
      const lease = leases[index];
      if (isOutage(lease)) return [{ gateway, state: 'unknown', about: null }];
      return typeof lease === 'string' ? [{ gateway, state: 'live', about: aboutIn(lease) }] : [];
    });
  }

  /**
   * Asks a gateway for `limit` connections after the first `after`. Null when it does not answer within a second.
   * @throws RedisOutageError
   */
  async askConnections(
    gateway: string,
    { after, limit }: { after: number; limit: number },
  ): Promise<ConnectionPage | null> {
    const id = randomBytes(16).toString('hex');
    const notice: GatewayNotice = { type: 'inspect', id, after, limit };
    const [heard] = await this.#redis.publish([[this.#keys.channel(gateway), JSON.stringify(notice)]]);
    if (heard instanceof Error) throw isOutage(heard) ? heard : new RedisOutageError(heard);
    if (heard === 0) return null;
    const giveUpAt = performance.now() + ANSWER_WAIT_MS;
    while (performance.now() < giveUpAt) {
      await sleep(POLL_MS);
      const answer = await this.#redis.run(['get', this.#keys.inspection(id)]);
      // Not checked, because only a gateway writes this key.
      if (answer !== null) return JSON.parse(answer) as ConnectionPage;
    }
    return null;
  }

  /**
   * Answers `askConnections` as the gateway that was asked.
   * @throws RedisOutageError
   */
  async answer(id: string, page: ConnectionPage): Promise<void> {
    await this.#redis.run(['set', this.#keys.inspection(id), JSON.stringify(page), 'PX', ANSWER_TTL_MS]);
  }
}

function aboutIn(text: string): GatewayAbout | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return null;
    const { host, pid, startedAt, connections, users } = value;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'string') return null;
    if (typeof connections !== 'number' || typeof users !== 'number') return null;
    return { host, pid, startedAt, connections, users };
  } catch {
    return null; // written by another version: the gateway is live, and the rest is unknown
  }
}
